// Makes the form for a certificate more comfortable; it works without this, too.
"use strict";
(() => {
  const PAUSE = 900;
  let form = document.getElementById("drafting");
  let timer = 0;
  let asked = "";
  let working = false;
  let unsaved = false;

  // What is looked at while one types: everything but pictures and the button.
  const content = () => {
    const data = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      const input = form.querySelector(`input[data-heavy][name="${CSS.escape(name)}"]`);
      if (typeof value === "string" && name !== "checked" && !input) data.append(name, value);
    }
    return data;
  };

  const notesOf = (id) => document.getElementById(`${id}-notes`);

  const show = (answer) => {
    const live = document.getElementById("live");
    const said = [...answer.querySelectorAll("[data-live] > *")];
    if (form.classList.contains("stale")) {
      const note = document.createElement("p");
      note.className = "note warn";
      note.textContent = answer.querySelector("[data-changed]").textContent;
      said.push(note);
    }
    live.replaceChildren(...said);
    const found = new Map([...answer.querySelectorAll("[data-for]")].map((each) => [each.dataset.for, each]));
    for (const place of form.querySelectorAll(".notes")) {
      const note = found.get(place.dataset.for);
      const field = document.getElementById(place.dataset.for);
      place.replaceChildren(...(note ? note.childNodes : []));
      if (note && "wrong" in note.dataset) field?.setAttribute("aria-invalid", "true");
      else field?.removeAttribute("aria-invalid");
    }
  };

  const ask = async () => {
    const body = content();
    if (working || body.toString() === asked) return;
    working = true;
    asked = body.toString();
    let wait = PAUSE;
    try {
      const answer = await fetch(form.dataset.findings, { method: "POST", body, redirect: "error" });
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
      else if (answer.status === 429 || answer.status === 503) {
        wait = 1000 * Math.max(1, Number(answer.headers.get("Retry-After")) || 5);
        asked = "";
      }
    } catch { /* a bad line: the button still works */ }
    working = false;
    if (content().toString() !== asked) later(wait);
  };

  const later = (pause) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, pause);
  };

  const typed = () => {
    unsaved = true;
    if (document.getElementById("send")) form.classList.add("stale");
    later(PAUSE);
  };

  // Adds or removes a row in place; whatever fails is left to the browser.
  const swap = async (button) => {
    const body = new FormData(form, button);
    try {
      const answer = await fetch(form.action, { method: "POST", body, redirect: "error" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const made = page.getElementById("drafting");
      if (!answer.ok || !made) throw new Error("no form");
      const focus = made.querySelector("[autofocus]");
      focus?.removeAttribute("autofocus");
      form.replaceWith(document.adoptNode(made));
      form = made;
      listen();
      focus?.focus();
      focus?.scrollIntoView({ block: "center" });
      later(PAUSE);
    } catch {
      button.removeAttribute("data-swap");
      form.requestSubmit(button);
    }
  };

  const listen = () => {
    form.addEventListener("input", typed);
    form.addEventListener("change", typed);
    form.addEventListener("submit", () => { unsaved = false; });
    form.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-swap]");
      if (!button) return;
      event.preventDefault();
      swap(button);
    });
    for (const link of form.querySelectorAll(".found a")) {
      link.addEventListener("click", (event) => {
        const field = document.getElementById(link.hash.slice(1));
        if (!field) return;
        event.preventDefault();
        for (let at = field; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
        field.focus();
        field.scrollIntoView({ block: "center" });
      });
    }
  };

  // What stands in the form is kept nowhere else.
  window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

  if (form) listen();
})();
