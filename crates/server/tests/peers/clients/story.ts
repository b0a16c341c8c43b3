// Signs up, confirms by code, signs in and asks who that is, with the types that openapi-typescript makes.
//
// story.js URL
//
// The mailed code is read from standard input.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type User = components["schemas"]["User"];
type Problem = components["schemas"]["Problem"];

const url = process.argv[2] ?? "";
const email = "ada.typescript@example.org";
const password = "plover-tundra-saffron-61";
const api = createClient<paths>({ baseUrl: url });

// What is wrong is typed, too: the code is one of a closed list, and each field says what is wrong with it.
const refused = await api.POST("/v1/signup", { body: { email: "ada", password: "short" } });
assert(refused.error);
const problem: Problem = refused.error;
assert.equal(problem.code satisfies Problem["code"], "validation_failed");
const fields = (problem.errors ?? []).map((field) => `${field.pointer} ${field.code}`).sort();
assert.deepEqual(fields, ["/email email_invalid", "/password password_too_short"]);

const pending = await api.POST("/v1/signup", { body: { email, password, user_name: "ada-typescript" } });
assert.equal(pending.response.status, 202);
assert.equal(pending.data?.email, email);

const code = readFileSync(0, "utf8").trim();
const basic = `Basic ${Buffer.from(`${email}:${password}`).toString("base64")}`;
const confirmed = await api.POST("/v1/confirm/code", { body: { code }, headers: { Authorization: basic } });
assert(confirmed.data);

const wrong = await api.POST("/v1/login", { body: { email, password: "another-long-word-9" } });
assert.equal(wrong.error?.code, "invalid_credentials");
const session = await api.POST("/v1/login", { body: { email, password } });
assert(session.data);

const headers = { Authorization: `${session.data.token_type} ${session.data.access_token}` };
const me = await api.GET("/v1/me", { headers });
assert(me.data);
const user: User = me.data;
assert.deepEqual(user, confirmed.data);
assert.equal(user.user_name, "ada-typescript");
assert.deepEqual(user.roles satisfies string[], []);

// The next tokens, in the OAuth form.
const bodySerializer = (body: object) => new URLSearchParams(Object.entries(body));
const form = { headers: { "Content-Type": "application/x-www-form-urlencoded" }, bodySerializer };
const next = { grant_type: "refresh_token" as const, refresh_token: session.data.refresh_token };
const bought = await api.POST("/v1/token", { body: next, ...form });
assert.equal(bought.data?.token_type, "Bearer");

const nobody = await api.GET("/v1/admin/users", { headers, params: { query: { status: "active", limit: 10 } } });
assert.equal(nobody.error?.code, "forbidden");

console.log(user.id);
