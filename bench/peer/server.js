// The peer of `make bench-hooks`: takes in Standard Webhooks deliveries with Node's http and better-sqlite3, and answers
// 202 when they are on disk. GROUP=1 commits whatever came in during one turn of the event loop together.
"use strict";

const { createHmac, timingSafeEqual } = require("node:crypto");
const http = require("node:http");
const Database = require("better-sqlite3");

const LIMIT = 5_000_000; // bytes of a body
const TOLERANCE = 300; // seconds
const PRIVATE = new Set(["authorization", "cookie", "proxy-authorization"]);
const key = Buffer.from(process.env.SECRET.replace("whsec_", ""), "base64");

const db = new Database(process.env.DATABASE);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec(`
  CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, site TEXT NOT NULL, key TEXT NOT NULL, received REAL NOT NULL, headers TEXT NOT NULL,
    body BLOB NOT NULL, outcome TEXT NOT NULL, words TEXT NOT NULL, UNIQUE (site, key));
  CREATE INDEX IF NOT EXISTS ix_deliveries_received ON deliveries (received);
  CREATE TABLE IF NOT EXISTS tasks (
    id INTEGER PRIMARY KEY, step TEXT NOT NULL, subject INTEGER NOT NULL, state TEXT NOT NULL, due REAL NOT NULL);
  CREATE INDEX IF NOT EXISTS ix_tasks_due ON tasks (state, due);
`);
const insertDelivery = db.prepare("INSERT OR IGNORE INTO deliveries VALUES (NULL, ?, ?, ?, ?, ?, 'received', '')");
const insertTask = db.prepare("INSERT INTO tasks VALUES (NULL, 'plan', ?, 'ready', ?)");

function insert(row) {
  const { changes, lastInsertRowid } = insertDelivery.run(row.site, row.key, row.received, row.headers, row.body);
  if (changes) insertTask.run(lastInsertRowid, row.received);
  return changes === 1;
}

const insertOne = db.transaction(insert);
const insertAll = db.transaction((rows) => rows.map(insert));

let waiting = [];

function store(row, answer) {
  if (!process.env.GROUP) return answer(insertOne.immediate(row));
  if (waiting.push({ row, answer }) === 1) setImmediate(storeGroup);
}

function storeGroup() {
  const group = waiting;
  waiting = [];
  const fresh = insertAll.immediate(group.map(({ row }) => row));
  group.forEach(({ answer }, index) => answer(fresh[index]));
}

function authentic(request, body) {
  const id = request.headers["webhook-id"];
  const stamp = request.headers["webhook-timestamp"];
  if (!id || Math.abs(Date.now() / 1000 - Number(stamp)) > TOLERANCE) return false;
  const right = createHmac("sha256", key).update(`${id}.${stamp}.`).update(body).digest();
  return (request.headers["webhook-signature"] ?? "").split(" ").some((text) => {
    const given = Buffer.from(text.replace("v1,", ""), "base64");
    return given.length === right.length && timingSafeEqual(given, right);
  });
}

function keptHeaders(request) {
  const pairs = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    if (!PRIVATE.has(request.rawHeaders[at].toLowerCase())) pairs.push(request.rawHeaders.slice(at, at + 2));
  }
  return JSON.stringify(pairs);
}

function say(response, status, words) {
  const body = `${JSON.stringify({ message: words })}\n`;
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

function receive(request, response, body) {
  if (!authentic(request, body)) return say(response, 401, "the signature does not match");
  try {
    JSON.parse(body);
  } catch {
    return say(response, 422, "not JSON");
  }
  const site = request.url.split("/")[2];
  const row = { site, key: request.headers["webhook-id"], received: Date.now() / 1000, body };
  row.headers = keptHeaders(request);
  store(row, (fresh) => say(response, fresh ? 202 : 200, fresh ? "thank you" : "seen before"));
}

const server = http.createServer((request, response) => {
  if (request.method !== "POST" || !request.url.startsWith("/hooks/")) return say(response, 404, "not here");
  const chunks = [];
  let size = 0;
  request.on("data", (chunk) => {
    size += chunk.length;
    if (size <= LIMIT) chunks.push(chunk);
  });
  request.on("end", () => {
    if (size > LIMIT) return say(response, 413, "too large");
    receive(request, response, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
  });
});

process.on("SIGTERM", () => {
  server.close(() => db.close());
  server.closeAllConnections();
});
server.listen(Number(process.env.PORT), "127.0.0.1");
