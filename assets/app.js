// What scripts add to pages that work without them: local times, copying, and forms that are sent once.

const said = document.getElementById("said");

function say(text) {
  said.textContent = "";
  requestAnimationFrame(() => { said.textContent = text; });
}

// Times in the zone of the browser; UTC shows on focus and on hover.
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time[data-moment]")) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) continue;
  time.dataset.utc = time.textContent;
  time.title = time.textContent;
  time.tabIndex = 0;
  time.textContent = local.format(at);
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      say("Copied");
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    } catch {
      // No permission: the text is selected, so that the keyboard can copy it.
      getSelection().selectAllChildren(button.previousElementSibling);
      say("Press Control or Command and C to copy");
    }
  });
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

// Menus close with Escape, and when something else is used.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.menu[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
