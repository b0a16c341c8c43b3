// The back end of docs/applications.md, in this process: `node back_end.mjs <url> <its origin> <its file> <email> <password>`.
import assert from "node:assert/strict";
import { resolve } from "node:path";

import { Site } from "./browser.mjs";

const [, , url, app, file, email, password] = process.argv;
const now = Date.now;
await import(resolve(file));

const site = await Site.open(url);
const person = await site.person({ strays: new RegExp(`^${app}/`) });
const page = await person.newPage();
await page.goto(`${app}/`);
await page.fill("#login", email);
await page.fill("#password", password);
await page.click("main form button:not([type=button])");
await page.waitForURL(/\/oauth\/authorize/);
await page.click("button[name=answer][value=allow]");
await page.waitForURL(`${app}/`);
assert.match(await page.textContent("body"), new RegExp(email));

// No token reaches the browser, and its scripts cannot read the cookie.
const [cookie] = (await person.cookies(app)).filter(({ name }) => name === "shop");
assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Lax"]);
assert.equal(await page.evaluate(() => document.cookie), "");
const asks = (session = cookie.value) => fetch(`${app}/`, { headers: { cookie: `shop=${session}` }, redirect: "manual" });
assert.equal((await asks("planted")).headers.get("location"), "/login");

// The token ends in 25 seconds: of ten requests at once one renews it, and all are answered.
Date.now = () => now() + 575_000;
const renewals = [];
const fetched = globalThis.fetch;
globalThis.fetch = (target, options) => {
  if (String(target) === `${url}/v1/token`) renewals.push(String(options.body));
  return fetched(target, options);
};
const answers = await Promise.all(Array.from({ length: 10 }, () => asks()));
assert.deepEqual(answers.map(({ status }) => status), Array(10).fill(200));
assert.equal(renewals.length, 1);
assert.match(renewals[0], /grant_type=refresh_token/);

// An answer to nobody's question is none.
const stray = await fetch(`${app}/callback?code=vac_x&state=x`, { redirect: "manual" });
assert.equal(stray.headers.get("location"), "/login");

await page.evaluate(() => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: "/logout" });
  document.body.append(form);
  form.submit();
});
await page.waitForURL(/\/login/);
assert.equal((await asks()).status, 302);
await site.close();
process.exit(0);
