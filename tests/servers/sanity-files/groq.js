// Evaluates GROQ as Sanity's own groq-js does: reads {query, params, dataset, before, after, root} on standard input,
// writes the result. With before or after, the query is a delta expression of a webhook.
import {evaluate, parse} from 'groq-js'

let input = ''
for await (const part of process.stdin) input += part
const {query, params = {}, dataset = [], before, after, root} = JSON.parse(input)
const delta = before !== undefined || after !== undefined
const tree = parse(query, {params, mode: delta ? 'delta' : 'normal'})
const options = {dataset, params, timestamp: new Date()}
if (delta) Object.assign(options, {before: before ?? null, after: after ?? null, root: root ?? after ?? before})
console.log(JSON.stringify((await (await evaluate(tree, options)).get()) ?? null))
