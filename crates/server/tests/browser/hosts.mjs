// The page of docs/integrate.md on a host of its own, behind TLS, in a browser without third-party cookies:
// `node hosts.mjs <url> <origin of the page> <email>`. The link of the mail comes on the standard input.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";

import { PASSWORD, Site } from "./browser.mjs";
import { renewsOnce, said, signsOut } from "./web.mjs";

const [, , url, app, email] = process.argv;
const names = [url, app].map((at) => `MAP ${new URL(at).hostname} 127.0.0.1`).join(",");
// Only the whole browser can do without third-party cookies.
const rules = [`--host-resolver-rules=${names}`, "--test-third-party-cookie-phaseout"];
const site = await Site.open(url, rules, "chromium");
const strays = new RegExp(`^${app}/`);
const person = await site.person({ strays });
const sent = "main form button:not([type=button])";

// A cookie for every site is set by the server's host and comes back to it, but not from a page of the other.
const page = await person.newPage();
const shows = `${url}/third-party`;
await page.goto(shows);
await page.goto(shows);
assert.equal(await page.textContent("body"), "third=1");
await page.goto(`${app}/`);
const asked = await page.evaluate((at) => fetch(at, { credentials: "include" }).then((answer) => answer.text()), shows);
assert.equal(asked, "");

// From the page to a sign-up, which is confirmed on another device, and back.
await page.click("#in");
await page.click("a[href^='/signup']");
await page.fill("#email", email);
await page.fill("#password", PASSWORD);
await page.click(sent);
await page.waitForURL(/\/check-mail$/);
const link = (await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next()).value;
const phone = await (await site.person()).newPage();
await phone.goto(link);
await phone.fill("#password", PASSWORD);
await phone.click(sent);
await phone.waitForURL(/\/account/);
await page.waitForURL(/\/oauth\/authorize\?request=/);
await page.click("button[name=answer][value=allow]");
await page.waitForURL(`${app}/`);
await said(page, "Signed in as usr_");

await renewsOnce(person, page, url, '"sub":"usr_');
await signsOut(page, url);
await site.close();
process.exit(0);
