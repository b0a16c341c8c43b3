// Enhancements: every page also works without this script.
"use strict";
const all = (selector) => document.querySelectorAll(selector);
const language = document.documentElement.lang;

// The prefix of our paths on this host, found from the URL of this file.
const base = new URL("..", document.currentScript.src).pathname.slice(0, -1);
const at = (place) => base + place;

// A link may carry its token, or the key of the set-up, after the `#`, where no server sees it: move it into the form.
const afterHash = new URLSearchParams(location.hash.slice(1));
const given = afterHash.get("token") ?? afterHash.get("k");
const place = document.querySelector("input[name=token]");
if (given && place && !place.value) {
  place.value = given;
  history.replaceState(null, "", location.pathname + location.search);
}

// Focus on the errors, so that they are read first: the summary, or the field of the only one.
(document.querySelector("[data-summary]") ?? document.querySelector("[aria-invalid]"))?.focus();

// Times in the reader's zone and language.
for (const time of all("time[datetime]")) {
  const date = new Date(time.dateTime);
  if (isNaN(date)) continue;
  time.textContent = date.toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
  time.dir = "auto";
}

// Passwords can be shown, and are hidden again when the form is sent.
for (const button of all("[data-show]")) {
  const field = document.getElementById(button.dataset.show);
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", shown);
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const { selectionStart, selectionEnd } = field;
    show(field.type === "password");
    field.focus();
    field.setSelectionRange(selectionStart, selectionEnd);
  });
  field.form.addEventListener("submit", () => show(false));
}

// What the server thinks of a new password: a bar and words.
for (const meter of all("[data-meter]")) {
  const field = document.getElementById(meter.dataset.meter);
  let timer, asked = 0;
  const say = (tone, words) => {
    meter.className = `strength ${tone}`;
    const bar = [1, 2, 3, 4].map(() => document.createElement("i"));
    meter.replaceChildren(...(words ? [...bar, Object.assign(document.createElement("p"), { textContent: words })] : []));
  };
  const judge = async () => {
    const mine = ++asked;
    if (!field.value) return say("", "");
    const body = { password: field.value };
    const email = field.form.elements.email?.value;
    if (email && field.form.elements.email.validity.valid) body.email = email;
    const headers = { "content-type": "application/json", accept: "application/json" };
    const answer = await fetch(at("/v1/password/check"), { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
    if (mine !== asked) return;
    if (!answer?.ok) return say("", "");
    const { ok, reasons } = await answer.json();
    const code = reasons[0]?.code ?? "";
    const words = meter.dataset[code.replace("password_", "").replace(/_(.)/g, (_, letter) => letter.toUpperCase())];
    if (ok) return say([...field.value].length < 14 ? "fair" : "good", meter.dataset.good);
    say(/guessable/.test(code) ? "warn" : "bad", words ?? meter.dataset.fair);
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(judge, 350);
  });
}

// Keeps what was typed when the language changes on a page with several forms: submits the form last edited.
let inHand;
addEventListener("input", ({ target }) => (inHand = target.form));
for (const link of all(".foot a[hreflang]")) {
  link.addEventListener("click", (event) => {
    if (inHand?.method !== "post") return;
    event.preventDefault();
    const button = Object.assign(document.createElement("button"), { formNoValidate: true, hidden: true });
    button.formAction = `${inHand.getAttribute("action")}?lang=${link.hreflang}`;
    inHand.append(button);
    inHand.requestSubmit(button);
  });
}

// The theme changes where one is; the cookie is the server's.
for (const choice of all("[data-look]")) {
  choice.addEventListener("click", (event) => {
    event.preventDefault();
    const { look } = choice.dataset;
    if (look === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = look;
    for (const one of all("[data-look]")) one.removeAttribute("aria-current");
    choice.setAttribute("aria-current", "true");
    choice.closest("details").open = false;
    fetch(`${at("/")}?theme=${look}`, { method: "HEAD", headers: { accept: "text/html" } });
  });
}

// A row that the address names opens, also in browsers that do not do so by themselves.
const opens = () => {
  const row = document.getElementById(location.hash.slice(1))?.closest("details");
  if (row) row.open = true;
};
addEventListener("hashchange", opens);
opens();

// A menu closes when one looks elsewhere.
addEventListener("click", ({ target }) => {
  for (const menu of all(".menu[open]")) if (!menu.contains(target)) menu.open = false;
});
addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  for (const menu of all(".menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A form is sent once, and while one is being sent nothing else navigates away. A button that takes its time says so.
const sending = () => document.querySelector("form[data-sent]") !== null;
for (const form of all("form")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    const button = event.submitter ?? form.querySelector("button:not([type=button])");
    setTimeout(() => form.dataset.sent && button?.setAttribute("aria-busy", "true"), 200);
  });
  addEventListener("pageshow", () => {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  });
}

// The cells of a code: the next one is marked, and the last digit sends the form, unless it asks for more.
for (const field of all("[data-digits]")) {
  const cells = [...field.parentElement.querySelectorAll("i")];
  const digits = () => [...field.value].filter((letter) => /\p{Nd}/u.test(letter)).length;
  const mark = () => cells.forEach((cell, place) => cell.classList.toggle("at", place === Math.min(digits(), cells.length - 1)));
  field.addEventListener("input", () => {
    // A pasted code comes with spaces and marks.
    const bare = field.value.replace(/[\s\p{Cf}-]/gu, "");
    if (bare !== field.value) field.value = bare;
    mark();
    const others = field.form.querySelectorAll("input:not([type=hidden], [hidden])").length > 1;
    if (digits() === cells.length && bare.length === cells.length && !others) field.form.requestSubmit();
  });
  mark();
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
const every = (seconds, tick) => {
  const end = Date.now() + 1000 * seconds;
  const next = () => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    tick(left);
    if (left > 0) setTimeout(next, 1000);
  };
  next();
};

// Counts down the seconds until another mail can be sent.
for (const button of all("[data-countdown]")) {
  const place = button.querySelector("span") ?? button;
  const words = place.textContent;
  every(button.dataset.countdown, (left) => {
    button.disabled = left > 0;
    place.textContent = left > 0 ? button.dataset.text.replace("{time}", clock(left)) : words;
  });
}

// How long the code works. When it is over, the button for another one comes first.
for (const line of all("[data-clock]")) {
  const [words, ring] = [line.querySelector("span"), line.querySelector("svg")];
  every(line.dataset.clock, (left) => {
    ring.toggleAttribute("hidden", left === 0);
    ring.lastElementChild.setAttribute("stroke-dasharray", `${(60 * left) / line.dataset.of} 60`);
    words.textContent = left > 0 ? words.dataset.left.replace("{time}", clock(left)) : words.dataset.over;
    if (left > 0) return;
    line.closest("form").querySelector("button").classList.add("plain");
    document.querySelector("[data-countdown]").classList.remove("plain");
  });
}

// Polls an address while the page is visible.
const poll = (address, changed) => {
  const ask = async () => {
    const answer = document.hidden ? null : await fetch(at(address), { headers: { accept: "application/json" }, redirect: "manual" }).catch(() => null);
    // The answer to a form navigates by itself.
    if (sending()) return void setTimeout(ask, 2000);
    // This browser no longer waits: another of its windows has continued.
    if (answer?.type === "opaqueredirect") return location.reload();
    if (answer?.ok && changed(await answer.json())) return;
    setTimeout(ask, 2000);
  };
  setTimeout(ask, 1000);
};

// The page that waits for the confirmation continues by itself.
for (const waiting of all("[data-waiting]")) {
  for (const hint of all(".with-script")) hint.hidden = false;
  for (const button of all(".without-script")) button.hidden = true;
  poll(waiting.dataset.waiting, ({ state, delayed }) => {
    for (const note of all("[data-delayed]")) note.hidden = !delayed;
    if (state === "confirmed") waiting.querySelector("form[action$='/continue']").requestSubmit();
    if (state === "ended") location.reload();
    return state !== "open";
  });
}

// The mailbox of the development mode.
for (const mailbox of all("[data-mailbox]")) {
  poll(mailbox.dataset.mailbox, ({ newest }) => {
    const more = newest !== Number(mailbox.dataset.newest);
    if (more) location.reload();
    return more;
  });
}
for (const button of all("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard?.writeText(button.dataset.copy);
    const { copied } = button.dataset;
    if (!copied) return;
    if (button.matches(".icon")) button.setAttribute("aria-label", copied);
    else button.textContent = copied;
    button.classList.add("done");
  });
}

// A table shows the rows that contain what is typed.
for (const place of all("[data-filter]")) {
  place.hidden = false;
  const rows = document.getElementById(place.dataset.filter).tBodies[0].rows;
  place.querySelector("input").addEventListener("input", ({ target }) => {
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(target.value.trim().toLowerCase());
  });
}

// Recovery codes are shown once: on paper or in a file they stay.
for (const codes of all("[data-codes]")) {
  codes.hidden = false;
  const text = [codes.dataset.codes, "", ...[...all(".codes code")].map((code) => code.textContent), ""].join("\r\n");
  const acts = {
    print,
    download() {
      const href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
      Object.assign(document.createElement("a"), { href, download: codes.dataset.file }).click();
    },
  };
  for (const button of codes.querySelectorAll("[data-do]")) button.addEventListener("click", () => acts[button.dataset.do]());
}

// Passkeys. The script begins a ceremony, and its form carries the answer of the browser: the server says what is wrong.
const keys = window.PublicKeyCredential;
let ceremony;
const use = async (form, mediation) => {
  ceremony?.abort();
  const { signal } = (ceremony = new AbortController());
  const { ceremony: name, credential: given, form_token: token } = form.elements;
  const body = new URLSearchParams({ form_token: token.value });
  const headers = { accept: "application/json" };
  const answer = await fetch(at(form.dataset.passkey), { method: "POST", headers, body, signal });
  if (!answer.ok) return mediation || form.requestSubmit();
  const begun = await answer.json();
  const makes = "create" in form.dataset;
  const publicKey = keys[makes ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON"](begun.public_key);
  const credential = await navigator.credentials[makes ? "create" : "get"]({ publicKey, signal, ...(mediation && { mediation }) });
  [name.value, given.value] = [begun.ceremony, JSON.stringify(credential)];
  form.requestSubmit();
};

// The browser offers passkeys in the field of the name; a second time after a failure, with a fresh challenge before the
// ceremony is over.
const offer = async (form, last) => {
  if (!(await keys.isConditionalMediationAvailable?.())) return;
  const asked = use(form, "conditional");
  const mine = ceremony;
  const timer = setTimeout(() => mine === ceremony && offer(form, last), 240000);
  asked.catch(({ name }) => {
    clearTimeout(timer);
    if (name !== "AbortError" && !last) offer(form, true);
  });
};
if (keys?.parseRequestOptionsFromJSON) {
  for (const form of all("[data-passkey]")) {
    const said = form.querySelector("[role=status]");
    for (const place of [form, form.closest("[data-or]")]) if (place) place.hidden = false;
    form.querySelector("button").addEventListener("click", () => {
      said.textContent = "";
      use(form).catch(({ name }) => {
        if (name === "AbortError") return;
        said.textContent = form.dataset.stopped;
        if ("offers" in form.dataset) offer(form, true);
      });
    });
    if ("offers" in form.dataset) offer(form);
  }
  const signal = (name, values) => keys[name]?.(values).catch(() => {});
  for (const { dataset } of all("[data-unknown]")) signal("signalUnknownCredential", { rpId: dataset.rp, credentialId: dataset.unknown });
  for (const { dataset } of all("[data-accepted]")) signal("signalAllAcceptedCredentials", JSON.parse(dataset.accepted));
  for (const note of all("[data-offer]")) {
    const seen = "vestibule-offer";
    note.hidden = localStorage.getItem(seen) !== null;
    localStorage.setItem(seen, "1");
    note.querySelector("[data-dismiss]").addEventListener("click", () => (note.hidden = true));
  }
}
