// The inside of an embedded page: takes a token from the page around it, and shows what our server gives for it.
//
// The token lives in a variable. No cookie, no storage, no address ever holds it.

const root = document.getElementById("root");
const html = document.documentElement;
const policy = globalThis.trustedTypes?.createPolicy("billstack-frame", { createHTML: (text) => text });

let host;
let token;
let locale;
let shown; // "sample", "view", or "expired"
let turn = 0;
let pause = 1000;
let retry;
let height;

function tell(type, more) {
  // Whoever has not spoken yet is told nothing: it has no name.
  if (host) parent.postMessage({ billstack: 1, type, ...more }, host);
}

addEventListener("message", ({ source, origin, data }) => {
  if (source !== parent || parent === self || data?.billstack !== 1) return;
  if (host && origin !== host) return;
  host = origin;
  if (data.type === "theme") dress(data);
  if (data.type === "token") take(data.token);
});

function take(fresh) {
  token = typeof fresh === "string" ? fresh : null;
  // One that only takes the place of another changes nothing to see.
  if (shown !== (token === null ? "sample" : "view")) show();
}

function ask(place, more) {
  const headers = { ...more?.headers };
  if (token !== null) headers.authorization = `Bearer ${token}`;
  return fetch(place, { ...more, headers, credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" });
}

async function show() {
  clearTimeout(retry);
  const mine = (turn += 1);
  const kind = token === null ? "sample" : "view";
  const query = locale ? `?locale=${locale}` : "";
  try {
    const answer = await ask(root.dataset[kind] + query);
    const text = await answer.text();
    // What was asked for later comes in its place.
    if (mine !== turn) return;
    if (answer.status === 401) return expire();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    set(text);
    shown = kind;
    pause = 1000;
    tell("ready");
    measure();
  } catch (error) {
    if (mine !== turn) return;
    tell("error", { reason: error.message });
    retry = setTimeout(show, pause);
    pause = Math.min(pause * 2, 60_000);
  }
}

// Pages are made by our own server, which writes texts as texts.
function trusted(text) {
  return policy ? policy.createHTML(text) : text;
}

function set(text) {
  root.innerHTML = trusted(text);
  html.lang = root.firstElementChild?.lang || "en";
  document.title = root.querySelector("h1")?.textContent ?? "";
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  for (const button of root.querySelectorAll("[data-share]")) button.hidden = !navigator.share;
  // A frame may not lead to another program, a new window may.
  for (const link of root.querySelectorAll("a[href^='mailto:']")) link.target = "_blank";
}

function expire() {
  shown = "expired";
  tell("expired");
}

// How it looks. What cannot be read is left as the project has it.
function dress({ theme, accent, radius, locale: wanted }) {
  html.dataset.theme = ["light", "dark"].includes(theme) ? theme : "";
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i;
  const long = String(accent).replace(short, "#$1$1$2$2$3$3");
  const colour = /^#[0-9a-f]{6}$/i.test(long) ? long : "";
  html.style.setProperty("--accent", colour);
  html.style.setProperty("--on-accent", colour && readable(colour));
  const corner = /^\d{1,2}$/.test(radius ?? "") && Number(radius) <= 24;
  html.style.setProperty("--radius", corner ? `${radius}px` : "");
  const language = /^[a-z]{2}$/.test(wanted ?? "") ? wanted : undefined;
  if (language === locale) return;
  locale = language;
  if (shown) show();
}

// White, or black where white has too little contrast.
function readable(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) >= 4.5 ? "#ffffff" : "#000000";
}

function measure() {
  const now = root.getBoundingClientRect().bottom + scrollY;
  if (now === height || !shown) return;
  height = now;
  tell("height", { height });
}
new ResizeObserver(measure).observe(root);

root.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (link?.dataset.channel) return tell("shared", { channel: link.dataset.channel });
  if (link?.getAttribute("href").startsWith("?")) {
    event.preventDefault();
    return more(link);
  }
  const button = event.target.closest("button");
  if (button?.dataset.copy) return copy(button);
  if (button?.dataset.share) return share(button);
  if (button?.form) {
    event.preventDefault();
    return name(button.form);
  }
});

// The rest of a list comes below what is there: Back belongs to the page around.
async function more(link) {
  const list = link.closest("[data-list]");
  try {
    const answer = await ask(root.dataset.view + link.getAttribute("href"));
    if (answer.status === 401) return expire();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const page = document.createElement("template");
    page.innerHTML = trusted(await answer.text());
    const rest = page.content.querySelector(`[data-list=${list.dataset.list}]`);
    const rows = [...rest.querySelectorAll("li")];
    list.querySelector("ul")?.append(...rows);
    link.replaceWith(rest.querySelector("a") ?? "");
    if (!rows.length) return;
    rows[0].tabIndex = -1;
    rows[0].focus();
  } catch (error) {
    tell("error", { reason: error.message });
  }
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    say(button.dataset.copied);
    tell("shared", { channel: "link" });
  } catch {
    button.parentElement.querySelector("input").select();
    say(button.dataset.byHand);
  }
}

async function share(button) {
  try {
    await navigator.share({ text: button.dataset.share });
    tell("shared", { channel: "share" });
  } catch {
    // They thought better of it.
  }
}

function say(text) {
  const said = root.querySelector("[role=status]");
  if (said) said.textContent = text;
}

// Makes the code, or gives it a name. A sandbox sends no form.
async function name(form) {
  const vanity = form.elements.vanity?.value.trim();
  const body = JSON.stringify(vanity ? { vanity } : {});
  try {
    const answer = await ask(root.dataset.code, { method: "POST", headers: { "content-type": "application/json" }, body });
    if (answer.status === 401) return expire();
    if (answer.status === 400 || answer.status === 409) return refuse(form);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    await show();
    root.querySelector(".link input, form input")?.focus();
  } catch (error) {
    tell("error", { reason: error.message });
  }
}

function refuse(form) {
  const field = form.elements.vanity;
  const said = form.querySelector(".error") ?? document.createElement("p");
  said.className = "error";
  said.id = "portal-refused";
  said.textContent = form.dataset.refused;
  if (!field) return form.prepend(said);
  field.before(said);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", said.id);
  field.focus();
}
