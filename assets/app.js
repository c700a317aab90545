// What scripts add to pages that work without them: local times, copying, shortcuts, and forms that are sent once.

const said = document.getElementById("said");

function say(text) {
  said.textContent = "";
  requestAnimationFrame(() => { said.textContent = text; });
}

// Times in the zone of the browser; UTC shows on focus and on hover.
const local = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
const utc = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
for (const time of document.querySelectorAll("time[data-moment]")) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) continue;
  time.dataset.utc = `${utc.format(at)} UTC`;
  time.title = time.dataset.utc;
  time.tabIndex = 0;
  time.textContent = (time.dataset.moment ? day : local).format(at);
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      say("Copied");
      // A small button has a sign in place of a word.
      if (label) button.textContent = "Copied";
      button.classList.add("copied");
      setTimeout(() => {
        button.textContent = label;
        button.classList.remove("copied");
      }, 1500);
    } catch {
      // No permission: the text is selected, so that the keyboard can copy it.
      getSelection().selectAllChildren(button.previousElementSibling);
      say("Press Control or Command and C to copy");
    }
  });
}

// All things of a page are picked at once, and the box shows whether they are.
const all = document.querySelector("input[data-pick-all]");
if (all) {
  const boxes = [...all.form.querySelectorAll("input[name=pick]")];
  const show = () => {
    const picked = boxes.filter((box) => box.checked).length;
    all.checked = picked === boxes.length;
    all.indeterminate = picked > 0 && !all.checked;
  };
  all.parentElement.hidden = false;
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; });
  all.form.addEventListener("change", show);
  // What the browser brings back is shown too.
  addEventListener("pageshow", show);
  show();
}

// A second click sends nothing while the first is on its way.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// The tab of this page is in sight where the row is wider than the window.
const tab = document.querySelector(".tabs [aria-current]");
if (tab) tab.parentElement.parentElement.scrollLeft = tab.offsetLeft - 40;

// Keys. Those that are pressed alone can be switched off, and never act where somebody types.
const alone = document.body.dataset.keys !== "off";
const finder = document.getElementById("find");
const help = document.getElementById("keys");
let before = null;
let went = 0;

function find() {
  if (!finder) return;
  if (document.activeElement !== finder) before = document.activeElement;
  finder.focus();
  finder.select();
}

function closeMenu() {
  const open = document.querySelector("details.menu[open]");
  if (!open) return false;
  open.open = false;
  open.querySelector("summary").focus();
  return true;
}

// Closes what is open and gives the focus back; then clears filters.
function escape(types) {
  if (closeMenu()) return;
  if (types) {
    document.activeElement.blur();
    if (before && before.isConnected) before.focus();
    before = null;
    return;
  }
  const clear = alone && document.querySelector("main form.filters .actions a, main form[role=search] .actions a");
  if (clear) clear.click();
}

function single(event) {
  const go = { r: "referrals", c: "customers", o: "codes" }[event.key];
  if (event.key === "/") find();
  else if (event.key === "?" && help) help.showModal();
  else if (go && event.timeStamp - went < 1500) {
    const link = document.querySelector(`.tabs a[href$="/${go}"]`);
    if (!link) return;
    link.click();
  } else {
    went = event.key === "g" ? event.timeStamp : 0;
    return;
  }
  went = 0;
  event.preventDefault();
}

document.addEventListener("keydown", (event) => {
  // An open dialog closes by itself.
  if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
  const types = event.target.closest("input, select, textarea, [contenteditable]") !== null;
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    find();
  } else if (event.key === "Escape") escape(types);
  else if (alone && !types && !event.ctrlKey && !event.metaKey && !event.altKey) single(event);
});

// Menus close when something else is used.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("focusout", (event) => {
  const menu = event.target.closest("details.menu[open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});

// The token of an invitation stands in the fragment, goes where it is sent from, and comes along to the sign-in.
const invited = document.querySelector("form[data-fragment]");
function takeInvitation() {
  if (location.hash.length < 2) return;
  const field = invited.elements.namedItem(invited.dataset.fragment);
  field.value = decodeURIComponent(location.hash.slice(1));
  for (const link of document.querySelectorAll("a[data-carries]")) link.hash = location.hash;
  history.replaceState(null, "", location.pathname);
}
if (invited) {
  takeInvitation();
  addEventListener("hashchange", takeInvitation);
}
const carrier = document.querySelector("form[data-carries]");
if (carrier && location.hash.length > 1) carrier.action += location.hash;

// What waits for something looks for it every three seconds while it is seen, for ten minutes at most.
const waiting = document.querySelector("[data-state]");
if (waiting) {
  const until = Date.now() + 600_000;
  const isUntouched = () => [...document.querySelectorAll("main input:not([type=hidden])")]
    .every((field) => field.value === field.defaultValue && field !== document.activeElement);
  const look = async () => {
    if (Date.now() > until) return;
    if (!document.hidden) {
      try {
        const answer = await fetch(location.pathname, { redirect: "error" });
        const state = / data-state="([^"]*)"/.exec(await answer.text());
        // Where nothing is waited for any more, there is no state.
        if (answer.ok && (state ? state[1] : "") !== waiting.dataset.state) {
          if (isUntouched()) {
            location.reload();
            return;
          }
          // What is typed is not lost: whoever types says when.
          const news = document.getElementById("news") || document.createElement("p");
          news.id = "news";
          news.className = "notice";
          news.setAttribute("role", "status");
          news.textContent = "There is news. Load the page again to see it.";
          waiting.before(news);
        }
      } catch {
        // The next look may work.
      }
    }
    setTimeout(look, 3000);
  };
  setTimeout(look, 3000);
}

// Filters are folded where they would fill the screen.
if (matchMedia("(max-width: 40rem)").matches) {
  for (const form of document.querySelectorAll("form.filters")) {
    if (form.closest("details")) continue;
    const set = [...form.elements].filter(({ name, type, value }) => name && type !== "hidden" && value);
    const box = document.createElement("details");
    const title = document.createElement("summary");
    title.textContent = `Filters (${set.length})`;
    box.open = document.querySelector("main [role=alert]") !== null;
    form.replaceWith(box);
    box.append(title, form);
  }
}

// The preview of customers' pages follows the form, before anything is saved.
const preview = document.querySelector("iframe.preview");
const looks = document.getElementById("looks");
if (preview && looks) {
  const tell = (message) => preview.contentWindow.postMessage({ billstack: 1, ...message }, new URL(preview.src).origin);
  const dress = () => {
    const { accent, radius } = looks.elements;
    const { theme, locale } = preview.dataset;
    tell({ type: "theme", theme, locale, accent: accent.value, radius: radius.value });
  };
  preview.addEventListener("load", () => {
    dress();
    // Nobody's page: the sample, which tells how high it is.
    tell({ type: "token", token: null });
  });
  // All of it is seen at once.
  addEventListener("message", ({ source, data }) => {
    const is = source === preview.contentWindow && data?.billstack === 1 && data.type === "height";
    if (is && data.height > 0 && data.height < 20_000) preview.style.height = `${Math.ceil(data.height) + 2}px`;
  });
  looks.addEventListener("input", dress);
}
