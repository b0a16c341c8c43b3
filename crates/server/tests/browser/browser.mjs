// A real browser for the flows: nothing it asks may leave the server under test.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { pictures } from "./pictures.mjs";

const require = createRequire(process.env.NODE_PACKAGES);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const PASSWORD = "violet-otter-maps-42";
export const OTHER = "copper-lamp-river-77";

/** The server, a browser, and what was asked of others. */
export class Site {
  constructor(url, browser) {
    this.url = url;
    this.browser = browser;
    this.strays = [];
    this.complaints = [];
  }

  /** A browser that is started with `more` arguments: the one without windows, unless a test needs all of Chromium. */
  static async open(url, more = [], program = "chromium-headless-shell") {
    const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", ...more];
    return new Site(url, await chromium.launch({ executablePath: `/usr/bin/${program}`, args }));
  }

  /** A browser of one's own: cookies, cache, settings. */
  async person(options = {}) {
    const context = await this.browser.newContext({ baseURL: this.url, locale: "en-GB", ...options });
    context.setDefaultTimeout(30000);
    context.on("request", (request) => {
      const own = request.url().startsWith(`${this.url}/`) || /^(data|about|blob):/.test(request.url());
      if (!own && !options.strays?.test(request.url())) this.strays.push(request.url());
    });
    context.on("console", (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) this.complaints.push(message.text());
    });
    context.on("weberror", (error) => this.complaints.push(String(error.error())));
    return context;
  }

  async close() {
    await this.browser.close();
    assert.deepEqual(this.strays, [], "nothing is asked of others");
    assert.deepEqual(this.complaints, [], "no page breaks its own policy");
  }

  /** The newest mail to an address, waiting for it. */
  async mail(to) {
    const answer = await fetch(`${this.url}/dev/mail/latest?to=${encodeURIComponent(to)}&wait=20`);
    assert.equal(answer.status, 200, `a mail to ${to}`);
    return answer.json();
  }

  /** The newest mail whose subject is not this one. */
  async mailAfter(to, subject) {
    for (let tries = 0; tries < 200; tries++) {
      const mail = await this.mail(to);
      if (mail.subject !== subject) return mail;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no other mail to ${to}`);
  }

  async api(path, body, token) {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const answer = await fetch(this.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: answer.status, body: await answer.json().catch(() => null) };
  }

  /** Fills the page's sign-up form and sends it. */
  async signsUp(page, email, password = PASSWORD) {
    await page.goto("/signup");
    await page.fill("#email", email);
    await page.fill("#password", password);
    await page.click("main form button:not([type=button])");
    await page.waitForURL(/\/check-mail/);
  }

  /** An account, made behind the pages' backs. */
  async hasAccount(email, password = PASSWORD) {
    assert.equal((await this.api("/v1/signup", { email, password })).status, 202);
    const { link } = await this.mail(email);
    const token = new URL(link).searchParams.get("token");
    assert.equal((await this.api("/v1/confirm", { token, password })).status, 200);
  }

  /** The account, as its owner gets it from the API. */
  async account(email, password = PASSWORD) {
    const { body } = await this.api("/v1/login", { email, password });
    const answer = await fetch(`${this.url}/v1/me`, { headers: { authorization: `Bearer ${body.access_token}` } });
    return answer.json();
  }

  async signsIn(page, login, password = PASSWORD, path = "/login") {
    await page.goto(path);
    await page.fill("#login", login);
    await page.fill("#password", password);
    await page.click("main form button:not([type=button])");
  }
}

/** Opens a row of a page that is closed: of the account, or of the actions of an administrator. */
export async function opens(page, row) {
  const details = page.locator(`#${row}-row`);
  if ((await details.getAttribute("open")) === null) await details.locator("> summary").click();
}

/** Types a code. A script sends it at its last digit; without one its button does. */
export async function enters(page, code) {
  const alone = (await page.locator(".code .at").count()) > 0;
  await page.fill("#code", code);
  if (!alone) await page.click("form:has(#code) button:not([type=button])");
}

/** Chooses another language in the footer, by its name or tag. */
export async function speaks(page, language) {
  await page.locator(".foot summary").first().click();
  await page.click(`.foot [lang=${language}]`);
}

/** Leaves by the menu of the page. */
export async function leaves(page) {
  await page.click(".top .menu summary");
  await page.click("form[action='/logout'] button");
}

/** What axe-core finds wrong with a page as it is now, by these rules or by all that it has for WCAG 2.2 AA. */
export async function violations(page, rules) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const runOnly = rules ? { type: "rule", values: rules } : { type: "tag", values: tags };
  const found = await page.evaluate((chosen) => axe.run({ runOnly: chosen, resultTypes: ["violations"] }), runOnly);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
}

/** The rules that a theme can break: it changes colours and nothing else. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/** Looks at a page in every theme and width: accessible, nothing hidden at the sides; and has its pictures taken if wanted. */
export async function look(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const rules = colorScheme === "dark" ? OF_COLOURS : undefined;
    assert.deepEqual(await violations(page, rules), [], `${name}, ${colorScheme}`);
    for (const width of [320, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name} at ${width}: ${wide} px too wide`);
    }
  }
  if (process.env.VESTIBULE_SCREENSHOTS) await pictures(page, name);
}
