// <billstack-referrals project="team_…/proj_…" token-url="/my/referral-token">: a customer's referrals in a frame.
//
// The product's own server is asked for a token; it goes to the frame in a message, and is kept nowhere.

const HOME = new URL(import.meta.url).origin;
const LOOKS = ["theme", "accent", "radius", "locale"];
const SECOND = 1000;

class BillstackReferrals extends HTMLElement {
  static observedAttributes = [...LOOKS, "project", "token-url", "sample"];

  #frame;
  #timer;
  #due = Infinity;
  #failures = 0;
  #asking = false;
  #begun = false;
  #hear = (event) => this.#heard(event);
  // A page in the background may have slept past the time.
  #look = () => { if (!document.hidden && this.#due <= Date.now()) this.#renew(); };

  connectedCallback() {
    this.#begun = true;
    const place = this.getAttribute("project") ?? "";
    if (!/^team_[a-z0-9]{1,64}\/proj_[a-z0-9]{1,64}$/.test(place)) {
      this.#tell("error", { reason: "project must be team_…/proj_…" });
      return;
    }
    const frame = document.createElement("iframe");
    frame.title = this.getAttribute("frame-title") ?? "Referrals";
    frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox");
    frame.allow = "clipboard-write; web-share";
    frame.referrerPolicy = "no-referrer";
    Object.assign(frame.style, { display: "block", width: "100%", height: "0", border: "0", colorScheme: "normal" });
    frame.addEventListener("load", () => this.#begin());
    frame.src = `${HOME}/embed/${place}`;
    this.#frame = frame;
    addEventListener("message", this.#hear);
    document.addEventListener("visibilitychange", this.#look);
    (this.shadowRoot ?? this.attachShadow({ mode: "open" })).replaceChildren(frame);
  }

  disconnectedCallback() {
    this.#begun = false;
    removeEventListener("message", this.#hear);
    document.removeEventListener("visibilitychange", this.#look);
    clearTimeout(this.#timer);
    this.#due = Infinity;
    this.#frame?.remove();
    this.#frame = undefined;
  }

  attributeChangedCallback(name, before, now) {
    if (!this.#begun || before === now) return;
    if (LOOKS.includes(name)) return this.#dress();
    this.disconnectedCallback();
    this.connectedCallback();
  }

  #begin() {
    this.#dress();
    this.#isSample ? this.#send("token", { token: null }) : this.#renew();
  }

  get #isSample() {
    return this.hasAttribute("sample") || !this.getAttribute("token-url");
  }

  #dress() {
    this.#send("theme", Object.fromEntries(LOOKS.map((name) => [name, this.getAttribute(name)])));
  }

  #send(type, more) {
    this.#frame?.contentWindow?.postMessage({ billstack: 1, type, ...more }, HOME);
  }

  #heard({ source, origin, data }) {
    if (!this.#frame || source !== this.#frame.contentWindow || origin !== HOME || data?.billstack !== 1) return;
    if (data.type === "height" && data.height >= 0 && data.height < 20_000) {
      this.#frame.style.height = `${Math.ceil(data.height)}px`;
    } else if (data.type === "expired") {
      // At once, but a server that gives tokens which are over is not asked without end.
      this.#wait(this.#failures ? this.#pause() : 0);
      this.#failures += 1;
    } else if (data.type === "shared") {
      this.#tell("shared", { channel: String(data.channel) });
    } else if (data.type === "ready") {
      this.#failures = 0;
      this.#tell("ready");
    } else if (data.type === "error") {
      this.#tell("error", { reason: String(data.reason) });
    }
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(`billstack-${type}`, { detail, bubbles: true }));
  }

  #pause() {
    return Math.min(SECOND * 2 ** this.#failures, 60 * SECOND);
  }

  #wait(time) {
    clearTimeout(this.#timer);
    if (!this.#frame) return;
    this.#due = Date.now() + time;
    this.#timer = setTimeout(() => this.#renew(), time);
  }

  // Asks the product for a token, hands it on, and comes back before it ends. A failure is tried again, ever later.
  async #renew() {
    if (this.#asking || this.#isSample) return;
    this.#asking = true;
    const frame = this.#frame;
    let wait;
    try {
      const url = new URL(this.getAttribute("token-url"), location.href);
      if (url.origin !== location.origin) throw new Error("token-url must be of this origin");
      const answer = await fetch(url, { cache: "no-store", headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(`token-url answered ${answer.status}`);
      const { token, expiresAt } = await answer.json();
      if (typeof token !== "string") throw new Error("token-url gave no token");
      if (frame === this.#frame) this.#send("token", { token });
      // The clock of the product's server, where it tells it: that of a visitor may be wrong.
      const left = Date.parse(expiresAt) - (Date.parse(answer.headers.get("date")) || Date.now());
      wait = left > 0 ? Math.max(left - 60 * SECOND, left / 2, 5 * SECOND) : 60 * SECOND;
    } catch (error) {
      this.#tell("error", { reason: error.message });
      wait = this.#pause();
      this.#failures += 1;
    }
    this.#asking = false;
    // The element may have been given another place meanwhile.
    this.#wait(frame === this.#frame ? Math.min(wait, 2 ** 30) : 0);
  }
}

customElements.get("billstack-referrals") ?? customElements.define("billstack-referrals", BillstackReferrals);
