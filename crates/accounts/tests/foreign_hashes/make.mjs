// Writes `made_by_node.json`: password hashes as better-auth makes them.
//
//     npm install better-auth@1
//     node make.mjs > made_by_node.json
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// Found where it was installed: in this folder, or in that of NODE_PACKAGES.
const require = createRequire(process.env.NODE_PACKAGES ?? import.meta.url);
const { hashPassword } = await import(pathToFileURL(require.resolve("better-auth/crypto")).href);

const vectors = [];
// The last is not in NFKC: better-auth normalises before it hashes.
for (const password of ["violet-otter-Ünïcödé-42", "ﬁsh-otter-maps-①②"]) {
  vectors.push({ by: "better-auth", name: "scrypt", password, hash: await hashPassword(password) });
}
process.stdout.write(JSON.stringify(vectors, null, 1) + "\n");
