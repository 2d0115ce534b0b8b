// Every text that a person reads. One language, one file; counts and times by Intl.

const plurals = new Intl.PluralRules("en");
const numbers = new Intl.NumberFormat("en");

/** count gives a number with its noun, as "1 message" and "2 messages". */
function count(n: number, one: string, other: string): string {
  return `${numbers.format(n)} ${plurals.select(n) === "one" ? one : other}`;
}

/** t is what the chat itself says. */
export const t = {
  app: "Confab",

  start: {
    title: "What should people call you?",
    lead: "Pick a name and start chatting. No account, no password.",
    open: "Names are not verified on this server: anybody could use yours.",
    name: "Your name",
    rule: "Letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
    empty: "Type a name first.",
    go: "Start chatting",
  },

  list: {
    nav: "Rooms and people",
    rooms: "Rooms",
    direct: "Direct messages",
    invitations: "Invitations",
    noDirect: "Nobody yet. Press + to write to somebody.",
    browse: "Find or create a room",
    people: "Write to somebody",
    invitedBy: (by: string) => `from ${by}`,
    join: "Join",
    accept: (room: string) => `Join ${room}`,
    decline: (room: string) => `Decline the invitation to ${room}`,
    unread: (n: number) => count(n, "unread message", "unread messages"),
    mentions: (n: number) => count(n, "mention of you", "mentions of you"),
    muted: "muted",
    you: "you",
    me: (name: string) => `You are ${name}`,
    menu: "Your menu",
    switch: "Jump to…",
  },

  presence: { online: "online", offline: "offline" },

  room: {
    lobbyTopic: "Everybody on this server",
    back: "Back to the list of rooms",
    members: "Members",
    search: "Search in this room",
    invite: "Invite somebody",
    more: "More about this room",
    mute: "Mute this room",
    unmute: "Unmute this room",
    expel: "Remove somebody",
    leave: "Leave this room",
    copyLink: "Copy link to this room",
    left: (room: string) => `You have left ${room}.`,
    missing: "There is no such room for you",
    missingLead: "It may not exist, or you may have left it. Choose a room from the list, or find one.",
    choose: "Choose a room",
    chooseLead: "Pick one on the left, or find something new.",
  },

  timeline: {
    label: (room: string) => `Messages in ${room}`,
    start: (room: string) => `This is the beginning of ${room}.`,
    startLead: "Say hello: everybody in the room sees it at once.",
    startDirect: (peer: string) => `This is the beginning of your conversation with ${peer}.`,
    startDirectLead: "Only the two of you see it.",
    older: "Loading older messages…",
    empty: "Loading messages…",
    failed: "Older messages could not be loaded.",
    offline: "Messages need a connection.",
    offlineLead: "What you write waits here, and is sent then.",
    again: "Try again",
    gap: "Some messages in between are not loaded.",
    fresh: "New",
    deleted: "Message deleted",
    deleting: "Message will be deleted.",
    undo: "Undo",
    latest: "Jump to latest",
    latestCount: (n: number) => `${count(n, "new message", "new messages")} below. Jump to latest`,
    typing: (names: readonly string[]) => {
      if (names.length === 0) return "";
      if (names.length === 1) return `${names[0]} is typing…`;
      if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
      return "Several people are typing…";
    },
    said: (from: string, text: string) => `${from}: ${text}`,
    burst: (n: number, room: string) => `${count(n, "new message", "new messages")} in ${room}`,
    today: "Today",
    yesterday: "Yesterday",
    now: "now",
  },

  message: {
    actions: (from: string) => `Actions for the message of ${from}`,
    copy: "Copy text",
    link: "Copy link",
    delete: "Delete",
    reply: "Mention",
    sending: "Sending…",
    failed: "Not sent",
    retry: "Retry",
    drop: "Delete",
    copied: "Copied.",
    copyFailed: "This browser lets pages copy only over HTTPS or on localhost. Select the text and copy it.",
    deleteFailed: (why: string) => `The message was not deleted: ${why}`,
    copyCode: "Copy code",
    table: "Table",
  },

  composer: {
    label: (room: string) => `Message ${room}`,
    direct: (peer: string) => `Message ${peer}`,
    send: "Send",
    emoji: "Emoji",
    hint: "Enter sends, Shift+Enter breaks the line",
    tooLong: (n: number) => `${count(n, "byte", "bytes")} too long`,
    offline: "Offline: it will be sent when you are back.",
    suggestions: "Suggestions",
  },

  connection: {
    connecting: "Connecting…",
    long: "This takes long. The server may be away, or it may not accept your name.",
    lost: "No connection.",
    retryIn: (seconds: number) => `Trying again in ${count(seconds, "second", "seconds")}.`,
    retrying: "Trying again…",
    now: "Try now",
    refused: "The server does not understand this page. Reload it to get the newest one.",
    reload: "Reload",
    queued: (n: number) => `${count(n, "message waits", "messages wait")} to be sent.`,
  },

  menu: {
    label: "Menu",
    theme: "Appearance",
    system: "Like the system",
    light: "Light",
    dark: "Dark",
    notify: "Notify me of mentions and direct messages",
    notifyOn: "Notifications are on",
    notifyOff: "Turn notifications off",
    notifyDenied: "This browser blocks notifications for this page. Allow them in its settings.",
    notifyInsecure: "This browser shows notifications only over HTTPS or on localhost.",
    details: "Connection",
    shortcuts: "Keyboard shortcuts",
    devices: "Your devices",
    people: "Invite people",
    manage: "Manage people",
    rename: "Change your name",
    profile: "How you are shown",
    signOut: "Sign out",
  },

  title: {
    page: (room: string) => (room ? `${room} – Confab` : "Confab"),
    unread: (n: number, title: string) => `(${numbers.format(n)}) ${title}`,
  },

  errors: {
    failed: "That did not work. Try again.",
  },
} as const;

/**
 * p is what panels and doors say, which are fetched when they are first wanted. They import it from
 * "panel-strings", which is this file once more: so it is no part of what everybody waits for.
 */
export const p = {
  errors: {
    offline: "You are offline. Try again when you are back.",
    code: (message: string, requestId: string) => (requestId ? `${message} (${requestId})` : message),
  },

  join: {
    looking: "Looking at your link…",
    title: "Join the chat",
    owner: "This link makes you the owner of this server.",
    invited: "You are invited. Pick a handle and you are in.",
    issuer: "Choose your name in the chat and you are in.",
    device: "Sign in on this device",
    as: (handle: string) => `This browser will be signed in as ${handle}.`,
    handle: "Your handle",
    rule: "2 to 32 letters a to z, digits, dots, dashes and underscores, beginning with a letter. "
      + "It is your name here and cannot be changed.",
    go: "Join",
    signIn: "Sign in",
    noLink: "This page needs a link",
    noLinkLead: "Open the whole link that somebody on this server gave you.",
    broken: "This link does not work",
    askAnother: "Links are good for a while and for a number of uses. Ask for another one.",
    toChat: "Go to the chat",
  },

  signedOut: {
    title: "Come in",
    lead: "People join this server by a link. Open yours in this browser, or paste it here.",
    issuer: "Sign in",
    link: "Your link",
    go: "Open the link",
    noLink: "No link? Ask somebody who is in, or the owner of this server.",
    wrong: "That is no link of this server.",
  },

  dialog: { close: "Close", results: "Results", nothing: "Nothing found.", loading: "Loading…" },

  switcher: {
    title: "Jump to",
    label: "Room or person",
    hint: "Type a part of a name. Enter opens it.",
  },

  rooms: {
    title: "Rooms",
    label: "Find or name a room",
    joined: "you are in",
    join: "join",
    invited: "you are invited",
    create: (name: string) => `Create the room ${name}`,
    createPrivate: (name: string) => `Create the private room ${name}`,
    publicHint: "everybody can find and join it",
    privateHint: "people come in by invitation",
    hint: "Join one of the list, or type a new name to create it.",
    rule: "A name has letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
  },

  people: {
    title: "Write to somebody",
    label: "Name",
    hint: "Only the two of you will see it.",
    nobody: "Nobody else has been here yet. Type a name to write to it.",
  },

  invite: {
    title: (room: string) => `Invite to ${room}`,
    label: "Whom?",
    hint: "They see the invitation at once, or when they are back.",
    done: (user: string) => `${user} is invited.`,
  },

  expel: {
    title: (room: string) => `Remove from ${room}`,
    hint: "For who made the room. They may come again if it is public.",
    done: (user: string) => `${user} is not in the room any more.`,
  },

  profile: {
    title: "How you are shown",
    label: "Name beside your handle",
    hint: "It proves nothing: your handle stays in front of it. Empty takes it away.",
    save: "Save",
  },

  members: {
    title: (room: string) => `Members of ${room}`,
    label: "Find somebody",
    count: (n: number) => count(n, "member", "members"),
  },

  search: {
    title: (room: string) => `Search in ${room}`,
    label: "Words to find",
    hint: "Looks through the messages that are loaded here.",
    older: "Load older messages",
    loaded: (n: number) => `${count(n, "message", "messages")} loaded`,
  },

  shortcuts: {
    rows: [
      ["Enter", "Send the message"],
      ["Shift+Enter", "Break the line"],
      ["@", "Name somebody"],
      [":", "Find an emoji by its name"],
      ["Ctrl+K, ⌘K", "Jump to a room or person"],
      ["Alt+↑, Alt+↓", "Previous or next room"],
      ["↑, ↓", "Move among messages, from one of them"],
      ["Tab", "Go to a message's actions"],
      ["Esc", "Close what is open"],
      ["?", "Show this list"],
    ] as const,
  },

  details: {
    title: "Connection",
    state: "State",
    states: { open: "Connected", connecting: "Connecting", waiting: "Waiting to try again", stopped: "Ended" },
    id: "Connection id",
    latency: "Latency",
    ms: (n: number) => `${numbers.format(n)} ms`,
    measuring: "measured with the next heartbeat",
    server: "Server",
    dialect: "Dialect",
    connects: "Connects since the page was opened",
    lastClose: "Last end of a connection",
    lastError: "Last error",
    none: "none",
    network: "Without the network",
    kept: "This page opens, and sends later what you write.",
    keeping: "This page is being kept for that.",
    notKept: "This browser does not keep the page: only while it is open you can write.",
    insecure: "This browser keeps pages only over HTTPS or on localhost: only while it is open you can write.",
    error: (code: string, message: string, id: string) => `${code}: ${message}${id ? ` (request ${id})` : ""}`,
    secure: "This page came over an insecure connection: others in the network can read along.",
  },

  emoji: {
    title: "Emoji",
    label: "Find an emoji",
    groups: ["Smileys", "People", "Animals and nature", "Food and drink", "Travel", "Activities", "Objects",
      "Symbols", "Flags"] as const,
    failed: "The emoji could not be loaded. Try again.",
  },

  devices: {
    title: "Your devices",
    here: "this browser",
    used: "last used",
    browser: (browser: string, system: string) => `${browser} on ${system}`,
    signOut: (device: string) => `Sign out ${device}`,
    everywhere: "Sign out everywhere",
    add: "Add a device",
    addHint: "Scan the code with a phone, or open the link on the other device. It works once, for ten minutes.",
    qr: "The link as a QR code",
    program: "Programs sign in with: confab login, and the link in quotes.",
  },

  links: {
    title: "Invite people",
    uses: "How many people",
    life: "Good for",
    lives: [["86400", "a day"], ["604800", "a week"], ["2592000", "30 days"]] as const,
    make: "Make a link",
    made: "Send this link to the people you invite:",
    copy: "Copy link",
    open: "Links that still work",
    none: "None. Make one above.",
    used: (used: number, uses: number) => `used ${numbers.format(used)} of ${numbers.format(uses)} times`,
    until: "until",
    end: "End",
  },

  manage: {
    title: "Manage people",
    label: "Find somebody",
    owner: "owner",
    disabled: "disabled",
    actions: (user: string) => `What to do with ${user}`,
    disable: "Disable: no sign-in, connections are closed",
    enable: "Enable again",
    makeOwner: "Make an owner",
    unmakeOwner: "Take ownership away",
    signOut: "Sign out everywhere",
    device: "Make a link for a new device of theirs",
    audit: "What was done",
    people: "People",
  },

  issuer: {
    title: "Come in",
    lead: (host: string) => `You sign in at ${host} and come back here.`,
    go: "Sign in",
    again: "Sign in again",
    retry: "Try again",
    problems: {
      denied: () => "You were not let in where you signed in, or turned back there.",
      ended: () => "Your sign-in has ended. Sign in again and go on: what you wrote is kept.",
      refused: () => "The chat takes no connection from here. It may not accept your account, or the address of "
        + "this page, or it may be away.",
      stale: () => "That sign-in was begun elsewhere, or too long ago.",
      insecure: () => "Browsers let pages sign people in only over HTTPS or on localhost: open the https address.",
      storage: () => "This browser lets the page keep nothing, and without that nobody can be signed in.",
      issuer: (detail: string) => `You could not be signed in: “${detail.slice(0, 200)}”`,
      unreachable: () => "Signing in did not work: no answer came. Try again.",
    },
  },
} as const;
