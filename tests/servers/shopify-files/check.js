// Holds GraphQL exchanges against the published Admin schema. Reads [{query, variables, data}] on standard input; each is
// validated, its variables are coerced, and its answer is executed as if it were the server's data, so that a field
// that is missing, of another type or outside its enum is an error. Writes what is wrong, one line an error.
import {readFileSync} from 'node:fs'
import {gunzipSync} from 'node:zlib'
import {buildClientSchema, execute, parse, validate, NoDeprecatedCustomRule, specifiedRules} from 'graphql'

const told = JSON.parse(gunzipSync(readFileSync(new URL('./schema.json.gz', import.meta.url))))
const schema = buildClientSchema(told.data)
let input = ''
for await (const part of process.stdin) input += part
const wrong = []
for (const {query, variables, data} of JSON.parse(input)) {
  const document = parse(query)
  const invalid = validate(schema, document, [...specifiedRules, NoDeprecatedCustomRule])
  wrong.push(...invalid.map((error) => `${query.slice(0, 60)}: ${error.message}`))
  if (invalid.length || data === undefined) continue
  const typeResolver = (value) => value.__typename ?? 'MediaImage'
  const answer = execute({schema, document, rootValue: data, variableValues: variables, typeResolver})
  wrong.push(...(answer.errors ?? []).map((error) => `${query.slice(0, 60)}: ${error.message}`))
}
console.log(JSON.stringify([...new Set(wrong)]))
