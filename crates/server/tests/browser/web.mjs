// What people do with the page of docs/integrate.md, wherever it is.
import assert from "node:assert/strict";

/** Waits until the page says this. */
export async function said(page, text) {
  const waits = page.waitForFunction((wanted) => document.getElementById("said").textContent.match(wanted), text, { timeout: 20000, polling: 100 });
  await waits.catch(async () => assert.fail(`${text}: ${await page.textContent("#said")}`));
}

/** Two tabs find that the token ends: one renews it, and both get their answer. */
export async function renewsOnce(person, page, url, answer) {
  const other = await person.newPage();
  await other.goto(new URL("/", page.url()).href);
  const renewals = [];
  person.on("response", (answer) => {
    const isToken = answer.url() === `${url}/v1/token` && answer.request().method() === "POST";
    if (isToken && answer.status() === 200) renewals.push(answer.request());
  });
  await page.evaluate(() => {
    const key = Object.keys(localStorage).find((name) => name.startsWith("oidc.user:"));
    const user = JSON.parse(localStorage[key]);
    localStorage[key] = JSON.stringify({ ...user, expires_at: Math.floor(Date.now() / 1000) + 5 });
    document.getElementById("said").textContent = "";
  });
  await Promise.all([page, other].map((tab) => tab.click("#orders")));
  await Promise.all([page, other].map((tab) => said(tab, answer)));
  assert.equal(renewals.length, 1);
  assert.match(renewals[0].postData(), /grant_type=refresh_token/);
}

/** Signs out on the page, and is signed out on the server, too. */
export async function signsOut(page, url) {
  const app = new URL("/", page.url()).href;
  await page.click("#out");
  await page.waitForURL(app);
  await said(page, "Signed out");
  await page.goto(`${url}/account`);
  assert.match(page.url(), /\/login/);
}
