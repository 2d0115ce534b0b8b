// Every text that a person reads. One language, one file; counts and times by Intl.

const plurals = new Intl.PluralRules("en");
const numbers = new Intl.NumberFormat("en");

/** count gives a number with its noun, as "1 message" and "2 messages". */
function count(n: number, one: string, other: string): string {
  return `${numbers.format(n)} ${plurals.select(n) === "one" ? one : other}`;
}

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
    ended: "You were signed out on this device.",
    wrong: "That is no link of this server.",
  },

  list: {
    nav: "Rooms and people",
    rooms: "Rooms",
    direct: "Direct messages",
    invitations: "Invitations",
    noDirect: "Nobody yet. Choose a name anywhere and write to it.",
    browse: "Find or create a room",
    people: "Write to somebody",
    invitedBy: (by: string) => `from ${by}`,
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

  presence: { online: "online", offline: "offline", here: (n: number) => `${numbers.format(n)} online` },

  room: {
    lobbyTopic: "Everybody on this server is here",
    roomTopic: "Room",
    directTopic: (peer: string) => `Between you and ${peer}`,
    back: "Back to the list of rooms",
    members: "Members",
    search: "Search in this room",
    invite: "Invite somebody",
    more: "More about this room",
    mute: "Mute this room",
    unmute: "Unmute this room",
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
    again: "Try again",
    gap: "Some messages in between are not loaded.",
    fill: "Load them",
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
    waiting: "Waiting for the connection",
    failed: "Not sent",
    retry: "Retry",
    drop: "Delete",
    copied: "Copied.",
    copyFailed: "This browser lets pages copy only over HTTPS or on localhost. Select the text and copy it.",
    deleteFailed: (why: string) => `The message was not deleted: ${why}`,
    copyCode: "Copy code",
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
    lost: "No connection.",
    retryIn: (seconds: number) => `Trying again in ${count(seconds, "second", "seconds")}.`,
    retrying: "Trying again…",
    now: "Try now",
    refused: "The server does not understand this page. Reload it to get the newest one.",
    reload: "Reload",
    queued: (n: number) => `${count(n, "message waits", "messages wait")} to be sent.`,
  },

  menu: {
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
    signOut: "Sign out",
  },

  dialog: { close: "Close", cancel: "Cancel" },

  title: {
    page: (room: string) => (room ? `${room} – Confab` : "Confab"),
    unread: (n: number, title: string) => `(${numbers.format(n)}) ${title}`,
  },

  errors: {
    failed: "That did not work. Try again.",
    offline: "You are offline. Try again when you are back.",
    code: (message: string, requestId: string) => (requestId ? `${message} (${requestId})` : message),
  },
} as const;
