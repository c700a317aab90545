// The calls of `/docs`. The list is in the page already; each call is shown by Swagger UI when it is opened, alone,
// because drawing all of them takes seconds.
"use strict";

const IDS = ["teamId", "projectId"];
const form = document.querySelector("form");
const calls = document.querySelectorAll("details");
const loaded = fetch("/openapi.json").then((answer) => answer.json());

// The ids are no secrets and stay in this browser; the key is forgotten with the page.
for (const id of IDS) form[id].value = localStorage.getItem("billstack." + id) || "";

form.addEventListener("input", () => {
  for (const id of IDS) localStorage.setItem("billstack." + id, form[id].value.trim());
});
form.addEventListener("change", () => {
  for (const call of calls) if (call.open) show(call);
});
form.addEventListener("submit", (event) => event.preventDefault());

// The document with this one call, and the ids as its examples.
function alone(document, { path, method }) {
  const parameters = { ...document.components.parameters };
  for (const id of IDS) {
    const { example, ...rest } = parameters[id];
    const value = form[id].value.trim();
    parameters[id] = value ? { ...rest, example: value } : rest;
  }
  const components = { ...document.components, parameters };
  return { ...document, components, tags: [], paths: { [path]: { [method]: document.paths[path][method] } } };
}

async function show(call) {
  const spec = alone(await loaded, call.dataset);
  const domNode = document.createElement("div");
  call.lastElementChild.replaceChildren(domNode);
  SwaggerUIBundle({
    spec,
    domNode,
    docExpansion: "full",
    defaultModelsExpandDepth: -1,
    tryItOutEnabled: true,
    requestInterceptor: (request) => {
      const key = form.key.value.trim();
      if (key) request.headers.Authorization = "Bearer " + key;
      return request;
    },
  });
}

for (const call of calls) {
  call.addEventListener("toggle", () => {
    if (!call.open) return call.lastElementChild.replaceChildren();
    history.replaceState(null, "", "#" + call.id);
    show(call);
  });
}

function openNamed() {
  const call = document.getElementById(location.hash.slice(1));
  if (call instanceof HTMLDetailsElement) {
    call.open = true;
    call.scrollIntoView();
  }
}
addEventListener("hashchange", openNamed);
openNamed();
