"use strict";
// Security keys (WebAuthn): everything else on these pages works without a script.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const described = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

async function post(path, form, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": form }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

function shown(credential) {
  const { response } = credential, fields = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) fields[name] = text(response[name]);
  }
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: fields,
           clientExtensionResults: credential.getClientExtensionResults() };
}

async function use(button) {
  const { form, next } = button.dataset;
  const options = await post("/sign-in/key/options", form, {});
  options.challenge = bytes(options.challenge);
  options.allowCredentials = described(options.allowCredentials);
  const credential = await navigator.credentials.get({ publicKey: options });
  const answer = await post("/sign-in/key", form, { credential: shown(credential), next });
  location.assign(answer.next);
}

async function add(button) {
  const { form } = button.dataset, label = document.getElementById("label").value;
  const options = await post("/account/keys/options", form, {});
  options.challenge = bytes(options.challenge);
  options.user.id = bytes(options.user.id);
  options.excludeCredentials = described(options.excludeCredentials);
  const credential = await navigator.credentials.create({ publicKey: options });
  await post("/account/keys", form, { credential: shown(credential), label });
  location.assign("/account");
}

for (const [id, act] of [["use-key", use], ["add-key", add]]) {
  const button = document.getElementById(id);
  if (button) button.addEventListener("click", async () => {
    const problem = document.getElementById("key-problem");
    problem.hidden = true;
    try { await act(button); } catch { problem.textContent = button.dataset.failed; problem.hidden = false; }
  });
}
