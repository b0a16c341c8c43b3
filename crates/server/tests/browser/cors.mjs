// Pages of other origins in a real browser: `node cors.mjs <url> <port of the application> <email> <password>`. The origin of that
// port is in `cors.origins`; another port is another origin, and not.
import assert from "node:assert/strict";
import { createServer } from "node:http";

import { Site } from "./browser.mjs";

const [, , url, port, email, password] = process.argv;
const serves = (at) =>
  new Promise((started) => {
    const server = createServer((_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end("<title>app</title>"));
    server.listen(at, "127.0.0.1", () => started(server));
  });
const [app, foreign] = [await serves(Number(port)), await serves(0)];
const site = await Site.open(url);
const person = await site.person({ strays: /^http:\/\/localhost:\d+\// });

/** A page of an origin, which asks the server and says what it could read. */
async function opened(server) {
  const page = await person.newPage();
  await page.goto(`http://localhost:${server.address().port}/`);
  return (path, options = {}) =>
    page.evaluate(
      async ([to, init]) => {
        try {
          const answer = await fetch(to, init);
          return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json().catch(() => null) };
        } catch (error) {
          return { refused: error.name };
        }
      },
      [url + path, options],
    );
}
const json = { "content-type": "application/json" };
const login = (word) => ({ method: "POST", headers: json, body: JSON.stringify({ email, password: word }) });
const refused = { refused: "TypeError" };

// Signed in on the server's own pages as well: the cookie is there, and of no use to others.
const own = await person.newPage();
await site.signsIn(own, email, password);
await own.waitForURL(/\/account/);

const asks = await opened(app);
const session = await asks("/v1/login", login(password));
assert.equal(session.status, 200, JSON.stringify(session));
const authorization = `Bearer ${session.body.access_token}`;
const me = await asks("/v1/me", { headers: { authorization } });
assert.deepEqual([me.status, me.body.email], [200, email]);
assert.match(me.headers["x-request-id"], /^[0-9a-f]{16}$/);
const named = await asks("/v1/me", {
  method: "PATCH", headers: { authorization, ...json }, body: JSON.stringify({ user_name: "ada" }),
});
assert.deepEqual([named.status, named.body.user_name], [200, "ada"], JSON.stringify(named));

// Errors say what is wrong, those of the edge too.
const nobody = await asks("/v1/me");
assert.equal(nobody.status, 401);
assert.match(nobody.headers["www-authenticate"], /^Bearer/);
assert.equal((await asks("/v1/nowhere", { headers: { authorization } })).body.code, "not_found");
const large = await asks("/v1/login", { ...login("x"), body: "x".repeat(20000) });
assert.equal(large.body?.code, "body_too_large", JSON.stringify(large));

// With cookies nothing can be read, though the server answers.
assert.deepEqual(await asks("/v1/me", { credentials: "include" }), refused);
assert.deepEqual(await asks("/login"), refused);
assert.deepEqual(await asks("/v1/me", { headers: { authorization, "x-unknown": "1" } }), refused);

const evil = await opened(foreign);
for (const init of [{}, { credentials: "include" }, { headers: { authorization } }]) {
  assert.deepEqual(await evil("/v1/me", init), refused);
}
assert.deepEqual(await evil("/v1/login", login(password)), refused);
const keys = await evil("/.well-known/jwks.json");
assert.deepEqual([keys.status, keys.body.keys.length], [200, 1]);

// Last, because the limit is then reached for everybody here.
let limited;
for (let tries = 0; tries < 30 && limited?.status !== 429; tries++) limited = await asks("/v1/login", login(`wrong ${tries}`));
assert.equal(limited.status, 429, JSON.stringify(limited));
assert.match(limited.headers["retry-after"], /^[1-9]\d*$/);
assert.match(limited.headers.ratelimit, /r=0/);
assert.match(limited.headers["ratelimit-policy"], /q=/);

await site.close();
for (const server of [app, foreign]) server.close();
