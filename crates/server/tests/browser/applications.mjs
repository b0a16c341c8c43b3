// Applications of others sign people in: `node applications.mjs <url> <port of the page> <secret of shop> <email> <password>`.
// `shop` is a server (openid-client, which is built on oauth4webapi), `page` a page of another origin (oidc-client-ts).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

import { Site, violations } from "./browser.mjs";

const require = createRequire(process.env.NODE_PACKAGES);
const client = await import(require.resolve("openid-client"));
const library = readFileSync(require.resolve("oidc-client-ts").replace(/dist\/.*/, "dist/browser/oidc-client-ts.min.js"), "utf8");
const [, , url, port, secret, email, password] = process.argv;
const app = `http://localhost:${port}`;

/** The pages of the applications: empty ones, which remember what they were asked for. */
const asked = [];
const server = createServer((request, answer) => {
  asked.push(request.url);
  answer.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>app</title><p>here");
});
await new Promise((started) => server.listen(Number(port), "127.0.0.1", started));

const site = await Site.open(url);
const person = await site.person({ strays: new RegExp(`^${app}/`) });

/** Signs in and answers the question on the pages of the server. */
async function allows(page, answer = "allow") {
  await page.waitForURL((at) => at.href.startsWith(app) || /\/login|\/oauth\/authorize/.test(at.pathname));
  if (new URL(page.url()).pathname.endsWith("/login")) {
    await page.fill("#login", email);
    await page.fill("#password", password);
    await page.click("main form button:not([type=button])");
    await page.waitForURL((at) => at.href.startsWith(app) || at.pathname.includes("/oauth/authorize"));
  }
  if (page.url().startsWith(app)) return;
  assert.deepEqual(await violations(page), []);
  await page.click(`button[name=answer][value=${answer}]`);
  await page.waitForURL((at) => at.href.startsWith(app));
}

/** A server that keeps a secret: the whole life of a sign-in. */
async function confidential() {
  const config = await client.discovery(new URL(url), "shop", undefined, client.ClientSecretBasic(secret), {
    execute: [client.allowInsecureRequests],
  });
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const begin = client.buildAuthorizationUrl(config, {
    redirect_uri: `${app}/shop`, scope: "openid profile email offline_access orders", state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  });
  const page = await person.newPage();
  await page.goto(begin.href);
  await allows(page);
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true, maxAge: 600 };
  const tokens = await client.authorizationCodeGrant(config, new URL(page.url()), checks);
  const claims = tokens.claims();
  assert.equal(claims.aud, "shop");
  assert.deepEqual(tokens.scope.split(" ").sort(), ["email", "offline_access", "openid", "orders", "profile"]);
  const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.deepEqual([info.email, info.email_verified], [email, true]);

  const seen = await client.tokenIntrospection(config, tokens.access_token);
  assert.deepEqual([seen.active, seen.client_id, seen.sub], [true, "shop", claims.sub]);
  const next = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(next.access_token, tokens.access_token);
  // What it holds opens nothing of the service's own.
  const own = await fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${next.access_token}` } });
  assert.equal(own.status, 403, await own.text());
  await client.tokenRevocation(config, next.refresh_token);
  assert.equal((await client.tokenIntrospection(config, next.access_token)).active, false);

  // A code works once (RFC 6749 §4.1.2).
  await assert.rejects(client.authorizationCodeGrant(config, new URL(page.url()), checks), { error: "invalid_grant" });

  // A second time nobody is asked, and a refusal comes back.
  const again = async (more) => {
    const fresh = client.randomPKCECodeVerifier();
    const parameters = { redirect_uri: `${app}/shop`, scope: "openid", state, code_challenge_method: "S256", ...more };
    parameters.code_challenge = await client.calculatePKCECodeChallenge(fresh);
    await page.goto(client.buildAuthorizationUrl(config, parameters).href);
    return fresh;
  };
  const fresh = await again({ prompt: "none" });
  await client.authorizationCodeGrant(config, new URL(page.url()), { pkceCodeVerifier: fresh, expectedState: state });
  await again({ prompt: "consent" });
  await allows(page, "deny");
  const refused = client.authorizationCodeGrant(config, new URL(page.url()), { expectedState: state });
  await assert.rejects(refused, { error: "access_denied" });

  const machine = await client.clientCredentialsGrant(config, { scope: "stock" });
  assert.equal((await client.tokenIntrospection(config, machine.access_token)).sub, "shop");
  await assert.rejects(client.clientCredentialsGrant(config, { scope: "everything" }), { error: "invalid_scope" });
  await page.close();
}

/** A page of another origin: sign-in, renewal by refresh token in two tabs, sign-out. */
async function browser() {
  const opened = async (path) => {
    const page = await person.newPage();
    await page.goto(app + path);
    await prepare(page);
    return page;
  };
  const prepare = async (page) => {
    await page.addScriptTag({ content: library });
    await page.evaluate(
      ([authority, origin]) => {
        window.users = new window.oidc.UserManager({
          authority, client_id: "page", redirect_uri: `${origin}/page`, post_logout_redirect_uri: `${origin}/bye`,
          scope: "openid email offline_access", loadUserInfo: true, automaticSilentRenew: false,
          userStore: new window.oidc.WebStorageStateStore({ store: window.localStorage }),
        });
      },
      [url, app],
    );
  };
  const page = await opened("/start");
  // The browser leaves the page while this runs.
  await page.evaluate(() => window.users.signinRedirect()).catch(() => {});
  await page.waitForURL((at) => at.href !== `${app}/start`);
  await allows(page);
  const answer = page.url();
  assert.match(answer, /\/page\?code=/);
  await prepare(page);
  const user = await page.evaluate((at) => window.users.signinCallback(at).then((found) => found.profile), answer);
  assert.deepEqual([user.email, user.iss], [email, url]);

  // Two tabs renew one after the other, under a lock that both know (docs: two tabs).
  const other = await opened("/other");
  const renews = () =>
    navigator.locks.request("renew", async () => {
      const before = (await window.users.getUser()).access_token;
      // What the other tab has renewed may reach the storage of this one later than the lock does.
      for (;;) {
        const renewed = await window.users.signinSilent().catch((error) => error);
        if (renewed.access_token) return renewed.access_token !== before;
        if (renewed.error !== "temporarily_unavailable") throw renewed;
        await new Promise((done) => setTimeout(done, 200));
      }
    });
  assert.deepEqual(await Promise.all([page.evaluate(renews), other.evaluate(renews)]), [true, true]);

  await page.evaluate(() => window.users.signoutRedirect()).catch(() => {});
  await page.waitForURL(`${app}/bye*`);
  await page.goto(`${url}/account`);
  assert.match(page.url(), /\/login/);
}

await confidential();
await browser();
await site.close();
server.close();
