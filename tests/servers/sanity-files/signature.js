// Asks Sanity's own @sanity/webhook: reads {secret, body, stamp, header} on standard input. Without header it signs.
import {encodeSignatureHeader, isValidSignature} from '@sanity/webhook'

let input = ''
for await (const part of process.stdin) input += part
const {secret, body, stamp, header} = JSON.parse(input)
const answer = header ? isValidSignature(body, header, secret) : encodeSignatureHeader(body, stamp, secret)
console.log(JSON.stringify(await answer))
