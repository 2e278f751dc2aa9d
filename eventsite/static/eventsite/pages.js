// What makes the pages more comfortable. All of them work without it.
"use strict";

// "JSON" is fetched when it is opened, not before.
for (const link of document.querySelectorAll("[data-show]")) {
  const details = link.closest("details");
  details.addEventListener("toggle", async () => {
    if (!details.open || details.querySelector("pre")) return;
    const shown = document.createElement("pre");
    shown.tabIndex = 0;
    details.append(shown);
    try {
      const answer = await fetch(link.href, { headers: { Accept: "application/json" } });
      shown.textContent = JSON.stringify(await answer.json(), null, 2);
    } catch {
      shown.textContent = "It could not be fetched.";
    }
  });
}

// The addresses of all people of a list, of which the page may show a part.
async function addressesIn(url) {
  const found = [];
  while (url) {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.statusText);
    for (const person of await answer.json()) if (person.user?.email) found.push(person.user.email);
    url = answer.headers.get("Link")?.match(/<([^>]+)>; rel="next"/)?.[1];
  }
  return found.join(", ");
}

// The cells with the name and the e-mail address of a person in the list of an event's people.
const nameIn = (row) => row.cells[1].textContent;
const addressIn = (row) => row.cells[2].firstChild.textContent.trim();

// What a script alone can do is not there without it.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!button.dataset.copy) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const label = button.textContent;
    let text = button.dataset.copy;
    try {
      if (document.querySelector(".people tr[hidden]") && button.closest(".tools")) {
        const inSight = [...document.querySelectorAll(".people tbody tr:not([hidden])")];
        text = inSight.map(addressIn).filter(Boolean).join(", ");
      } else if (button.dataset.copyAll) {
        text = await addressesIn(button.dataset.copyAll);
      }
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      window.prompt(label, text);
    }
    setTimeout(() => (button.textContent = label), 2000);
  });
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
  if (location.hash === "#now") window.print();
}

// The rows in sight narrow down while a name is typed, without case and accents.
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
for (const field of document.querySelectorAll("[data-filter]")) {
  field.addEventListener("input", () => {
    const sought = plain(field.value.trim());
    for (const row of document.querySelectorAll(".people tbody tr")) {
      row.hidden = !plain(`${nameIn(row)} ${addressIn(row)}`).includes(sought);
    }
  });
}

// A second click on the same button is an accident.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  if (form.method !== "post") return;
  form.dataset.sent = "yes";
  setTimeout(() => {
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  });
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  }
});

// What was typed survives logging in: it waits in this tab until the form is shown again.
const KEPT = "eventsite-typed";
let typedIn = null;
document.addEventListener("input", (event) => (typedIn = event.target.closest("form[data-form]") || typedIn));
for (const link of document.querySelectorAll("a[data-keep]")) {
  link.addEventListener("click", () => {
    const form = typedIn || document.querySelector("main > form[data-form]");
    if (!form) return;
    const typed = [...new FormData(form)].filter(([name]) => !name.startsWith("_") && name !== "csrfmiddlewaretoken");
    sessionStorage.setItem(KEPT, JSON.stringify({ form: form.dataset.form, typed }));
  });
}
const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
// Several forms of a page may send to one address: what was typed belongs to the one with most of its fields.
const fits = (form) => kept.typed.filter(([name]) => form.elements.namedItem(name)).length;
const alike = [...document.querySelectorAll("form[data-form]")].filter((form) => form.dataset.form === kept?.form && fits(form));
const waiting = alike.sort((one, other) => fits(other) - fits(one))[0];
if (waiting && !document.querySelector("a[data-keep]")) {
  for (let outer = waiting.closest("details"); outer; outer = outer.parentElement.closest("details")) outer.open = true;
  sessionStorage.removeItem(KEPT);
  for (const [name, value] of kept.typed) {
    for (const field of waiting.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (field.type === "checkbox") field.checked = value === "true";
      else if (field.type !== "hidden") field.value = value;
    }
  }
  const told = document.createElement("p");
  told.className = "message";
  told.setAttribute("role", "status");
  told.textContent = "You are logged in, and what you typed is still here. Send it again.";
  waiting.before(told);
  waiting.querySelector("input:not([type=hidden]), textarea, select")?.focus();
}

// The reader's own time zone is the likely one.
for (const start of document.querySelectorAll('input[name="startTime"]')) {
  const zone = start.form.elements.timeZone;
  start.addEventListener("change", () => {
    if (zone && start.value && !zone.value) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  });
}
