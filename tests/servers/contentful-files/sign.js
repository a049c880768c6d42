// Asks Contentful's own node-apps-toolkit: reads {act: "sign" | "verify", secret, request, stamp} on standard input.
import {signRequest, verifyRequest} from '@contentful/node-apps-toolkit'

let input = ''
for await (const part of process.stdin) input += part
const {act, secret, request, stamp} = JSON.parse(input)
const answer = act === 'sign' ? signRequest(secret, request, stamp) : verifyRequest(secret, request, 0)
console.log(JSON.stringify(answer))
