// Writes a real export of better-auth: its table of users, each with the password of its account.
//
//     npm install better-auth@1
//     node make.mjs > better-auth.json
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// Found where it was installed: in this folder, or in that of NODE_PACKAGES.
const require = createRequire(process.env.NODE_PACKAGES ?? import.meta.url);
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { betterAuth } = await load("better-auth");
const { memoryAdapter } = await load("better-auth/adapters/memory");

const tables = { user: [], account: [], session: [], verification: [] };
const auth = betterAuth({
  secret: "a secret that only this script has, for a moment",
  baseURL: "http://localhost",
  database: memoryAdapter(tables),
  emailAndPassword: { enabled: true },
});
await auth.api.signUpEmail({ body: { email: "ada@example.org", name: "Ada", password: "violet-otter-Ünïcödé-42" } });
// As its mailed link does.
tables.user[0].emailVerified = true;
const password = (id) => tables.account.find((it) => it.userId === id && it.providerId === "credential")?.password;
const rows = tables.user.map((user) => ({ ...user, password: password(user.id) }));
process.stdout.write(JSON.stringify(rows, null, 1) + "\n");
