import type { FunctionComponent } from "preact";
import type { Panel } from "../../ui/state.ts";
import { Expel } from "./Expel.tsx";
import { Details } from "./Details.tsx";
import { Devices } from "./Devices.tsx";
import { EmojiPicker } from "./EmojiPicker.tsx";
import { Invite } from "./Invite.tsx";
import { Links } from "./Links.tsx";
import { Manage } from "./Manage.tsx";
import { Members } from "./Members.tsx";
import { People } from "./People.tsx";
import { Profile } from "./Profile.tsx";
import { Rooms } from "./Rooms.tsx";
import { Search } from "./Search.tsx";
import { Shortcuts } from "./Shortcuts.tsx";
import { Switcher } from "./Switcher.tsx";

const views: Record<Exclude<Panel, "">, FunctionComponent> = {
  details: Details, devices: Devices, emoji: EmojiPicker, expel: Expel, profile: Profile, invite: Invite, invitePeople: Links, manage: Manage,
  members: Members, people: People, rooms: Rooms, search: Search, shortcuts: Shortcuts, switcher: Switcher,
};

/** Panels are what opens over the chat; they are fetched when the first one does. */
export default function Panels({ panel }: { panel: Exclude<Panel, ""> }) {
  const View = views[panel];
  return <View key={panel} />;
}
