// What the pages do by themselves. No inline script, no HTML strings: everything is built from nodes.

const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

function send(url, method, body) {
  return fetch(url, {
    method,
    headers: { "X-CSRFToken": token, "Content-Type": "application/json", Accept: "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
  });
}

// --- one submission per press -------------------------------------------------------------------

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("button:not([type=button])")) button.classList.add("disabled");
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// --- keys -----------------------------------------------------------------------------------------

const typing = () => ["INPUT", "TEXTAREA", "SELECT"].includes(document.activeElement?.tagName);
const blank = document.getElementById("blank");

document.addEventListener("keydown", (event) => {
  if (blank && !blank.hidden) {
    blank.hidden = true;
    event.preventDefault();
    return;
  }
  if (event.key === "/" && !typing()) {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
  if (event.key === "." && event.ctrlKey && blank) blank.hidden = false;
  if (event.key === "Escape") {
    for (const open of document.querySelectorAll(".menu[open], .tabs-more[open]")) open.open = false;
  }
});
document.querySelector("[data-blank]")?.addEventListener("click", () => { blank.hidden = false; });
blank?.addEventListener("click", () => { blank.hidden = true; });
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll(".menu[open], .tabs-more[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
document.querySelector("[data-focus]")?.focus();
for (const back of document.querySelectorAll("[data-back]")) {
  back.hidden = history.length < 2;
  back.addEventListener("click", () => history.back());
}
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => window.print());
for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  const said = button.parentElement.querySelector("[data-copied]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.focus();
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = "已复制";
    } catch { said.textContent = document.execCommand("copy") ? "已复制" : "请按 Ctrl + C 复制"; }
  });
}
for (const select of document.querySelectorAll("select[data-go]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

// --- showing a name for some seconds ---------------------------------------------------------------

for (const button of document.querySelectorAll("[data-reveal]")) {
  const bar = button.closest("[data-identity]");
  const fields = [...bar.querySelectorAll("[data-field]")];
  const masked = new Map(fields.map((field) => [field, field.textContent]));
  let timer = 0;
  const hide = () => {
    clearTimeout(timer);
    for (const [field, text] of masked) field.textContent = text;
    button.hidden = false;
  };
  button.addEventListener("click", async () => {
    const answer = await send(button.dataset.reveal, "POST", {});
    if (!answer.ok) return;
    const shown = await answer.json();
    for (const field of fields) field.textContent = shown[field.dataset.field] ?? field.textContent;
    button.hidden = true;
    timer = setTimeout(hide, Number(button.dataset.seconds) * 1000);
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) hide(); });
  window.addEventListener("beforeprint", hide);
}

// --- drafts: kept on the server, because the page may not keep anything ------------------------------

const draftForm = document.querySelector("form[data-draft]");
if (draftForm) {
  const url = `/drafts/${draftForm.dataset.draft}`;
  const note = draftForm.querySelector("[data-draft-state]");
  const names = ["TEXTAREA", "INPUT", "SELECT"];
  const fields = () => [...draftForm.elements].filter((field) =>
    names.includes(field.tagName) && field.name && !["csrf_token", "version"].includes(field.name) && field.type !== "file");
  const read = () => {
    const held = {};
    for (const field of fields()) {
      if (["radio", "checkbox"].includes(field.type)) {
        if (field.checked) (held[field.name] ??= []).push(field.value);
      } else if (field.value) held[field.name] = field.value;
    }
    return held;
  };
  const fill = (held) => {
    for (const field of fields()) {
      const value = held[field.name];
      if (["radio", "checkbox"].includes(field.type)) field.checked = Array.isArray(value) && value.includes(field.value);
      else if (typeof value === "string") field.value = value;
    }
  };
  let last = JSON.stringify(read());
  let dirty = false;
  const say = (text) => { if (note) note.textContent = text; };
  const keep = async () => {
    const now = JSON.stringify(read());
    if (now === last) return;
    const answer = await send(url, "PUT", JSON.parse(now));
    if (answer.ok) {
      last = now;
      say(`草稿已保存 ${new Date().toLocaleTimeString("zh-CN", { hour12: false })}`);
    } else say("草稿未能保存，请检查网络");
  };
  if (!document.querySelector(".refusals")) {
    send(url, "GET").then((answer) => answer.json()).then((found) => {
      if (found.fields && Object.keys(found.fields).length) {
        fill(found.fields);
        last = JSON.stringify(read());
        dirty = true;
        say("已恢复上次未提交的草稿");
      }
    }).catch(() => {});
  }
  draftForm.addEventListener("input", () => { dirty = true; });
  draftForm.addEventListener("focusout", keep);
  draftForm.addEventListener("submit", () => { dirty = false; });
  setInterval(keep, Number(draftForm.dataset.seconds) * 1000);
  const leave = document.getElementById("leave");
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || !dirty || link.target || link.getAttribute("href").startsWith("#") || link.protocol === "tel:") return;
    event.preventDefault();
    keep();
    leave.returnValue = "";
    leave.showModal();
    leave.addEventListener("close", () => { if (leave.returnValue === "go") location.assign(link.href); }, { once: true });
  });
}

// --- waiting for the worker ---------------------------------------------------------------------------

const waiting = document.querySelector("[data-poll]");
if (waiting) {
  const bar = waiting.querySelector("progress");
  const words = waiting.querySelector("[data-state]");
  const ask = async () => {
    try {
      const answer = await send(waiting.dataset.poll, "GET");
      if (answer.status === 401) return location.reload();
      const state = await answer.json();
      if (!state.working) return location.reload();
      if (state.total) { bar.max = state.total; bar.value = state.done; }
      words.textContent = state.label;
    } catch { words.textContent = "连接中断，正在重试"; }
    setTimeout(ask, 1000);
  };
  setTimeout(ask, 600);
}

// --- the session's end is announced ----------------------------------------------------------------------

const idle = Number(document.body.dataset.idle);
if (idle) {
  const warn = Number(document.body.dataset.warn);
  const dialog = document.getElementById("idle");
  const left = dialog.querySelector("[data-left]");
  let ends = Date.now() + idle * 1000;
  dialog.querySelector("[data-keep]").addEventListener("click", async () => {
    const answer = await send("/session/keep", "POST", {});
    if (answer.ok) ends = Date.now() + idle * 1000;
    else location.reload();
  });
  setInterval(() => {
    const seconds = Math.round((ends - Date.now()) / 1000);
    if (seconds <= 0) return location.reload();
    if (seconds <= warn) {
      left.textContent = seconds;
      if (!dialog.open) dialog.showModal();
    } else if (dialog.open) dialog.close();
  }, 1000);
}
