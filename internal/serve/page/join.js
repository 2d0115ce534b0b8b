// What stands behind a link: nothing happens to it before the button is pressed, because programs
// that preview links fetch pages too. The secret is the fragment, which is not sent to servers.
const element = (id) => document.getElementById(id);
const link = location.hash.slice(1);

// ask posts to the server and gives its answer; an error carries the server's sentence.
async function ask(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The server does not answer. Try again.");
  }
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(answer.error);
  }
  return answer;
}

function say(title, lead) {
  document.title = `${title} – Confab`;
  element("title").textContent = title;
  element("lead").textContent = lead;
}

// noLink is for who is signed in already, and for who has to be by an issuer.
async function noLink() {
  const me = await fetch("/auth/me");
  if (me.ok) {
    element("done").hidden = false;
    say(`Welcome, ${(await me.json()).handle}`, "This browser is signed in.");
    return;
  }
  const mode = await (await fetch("/auth/mode")).json();
  if (mode.signIn) {
    location.replace(mode.signIn);
    return;
  }
  say("No link", "Open the link that an owner of this server gave you, all of it.");
}

async function begin() {
  if (!link) {
    await noLink();
    return;
  }
  let found;
  try {
    found = await ask("/auth/look", { link });
  } catch (problem) {
    say("This link does not work", `${problem.message}. Ask for another one.`);
    return;
  }
  const device = found.kind === "device";
  if (device) {
    say("Add this device", `It will be signed in as ${found.handle}.`);
    element("go").textContent = "Sign in";
  } else {
    const leads = { owner: "You will own this server.", issuer: "Choose your name in the chat." };
    say("Join", leads[found.kind] ?? "You are invited.");
    element("handle").required = true;
    element("choose").hidden = false;
  }
  element("form").hidden = false;
  (device ? element("go") : element("handle")).focus();
}

async function join(event) {
  event.preventDefault();
  const button = element("go");
  button.disabled = true;
  element("problem").textContent = "";
  try {
    const me = await ask("/auth/sign-in", { link, handle: element("handle").value, cookie: true });
    history.replaceState(null, "", location.pathname);
    element("form").hidden = true;
    element("done").hidden = false;
    say(`Welcome, ${me.handle}`, "This browser is signed in.");
    element("title").focus();
  } catch (problem) {
    element("problem").textContent = problem.message;
  }
  button.disabled = false;
}

async function addDevice() {
  const shown = element("link");
  try {
    const made = await ask("/auth/devices", {});
    shown.firstChild.textContent = `confab login ${made.link}`;
  } catch (problem) {
    shown.firstChild.textContent = problem.message;
  }
  shown.hidden = false;
}

element("form").addEventListener("submit", join);
element("device").addEventListener("click", addDevice);
begin();
