/** The frame around every screen: menu, account, language, theme. */
import {
  AppWindow,
  AudioLines,
  BrainCircuit,
  CircleGauge,
  Hash,
  KeyRound,
  LogOut,
  type LucideIcon,
  Menu as MenuIcon,
  Network,
  PhoneCall,
  SlidersHorizontal,
  TriangleAlert,
  UserRound,
  UsersRound,
} from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { useAccount, useLogout } from "./session";
import { type Language, type TextKey, useText } from "./text";
import { rememberTheme, storedTheme, type Theme } from "./theme";
import { Mark } from "./ui/mark";

interface Entry {
  href: string;
  text: TextKey;
  icon: LucideIcon;
}

const GROUPS: { title?: TextKey; entries: Entry[] }[] = [
  {
    entries: [
      { href: "/", text: "nav.overview", icon: CircleGauge },
      { href: "/calls", text: "nav.calls", icon: PhoneCall },
      { href: "/alerts", text: "nav.alerts", icon: TriangleAlert },
    ],
  },
  {
    title: "nav.routing",
    entries: [
      { href: "/applications", text: "nav.applications", icon: AppWindow },
      { href: "/numbers", text: "nav.numbers", icon: Hash },
      { href: "/carriers", text: "nav.carriers", icon: Network },
    ],
  },
  {
    title: "nav.account",
    entries: [
      { href: "/account/llm-services", text: "nav.llm", icon: BrainCircuit },
      { href: "/account/speech-services", text: "nav.speech", icon: AudioLines },
      { href: "/account/api-keys", text: "nav.apiKeys", icon: KeyRound },
      { href: "/account/users", text: "nav.users", icon: UsersRound },
      { href: "/account/settings", text: "nav.settings", icon: SlidersHorizontal },
    ],
  },
];

export function Layout({ children }: { children: ReactNode }) {
  const { t } = useText();
  const [location] = useLocation();
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [location]);
  return (
    <div className="frame">
      <a className="skip" href="#main">
        {t("skip")}
      </a>
      <aside className={open ? "side open" : "side"}>
        <div className="brand">
          <Link href="/" aria-label="Moonwire">
            <Mark />
            Moonwire
          </Link>
          <button type="button" className="icon-button menu-button" aria-expanded={open} aria-label={t("nav.menu")} onClick={() => setOpen(!open)}>
            <MenuIcon aria-hidden />
          </button>
        </div>
        <div className="side-body">
          <Menu location={location} />
          <Person />
        </div>
      </aside>
      <main id="main">{children}</main>
    </div>
  );
}

function Menu({ location }: { location: string }) {
  const { t } = useText();
  const isHere = (href: string) => (href === "/" ? location === "/" : location === href || location.startsWith(`${href}/`));
  return (
    <nav aria-label={t("nav.menu")}>
      {GROUPS.map((group) => (
        <div key={group.title ?? "main"}>
          {group.title && <h2>{t(group.title)}</h2>}
          <ul>
            {group.entries.map(({ href, text, icon: Icon }) => (
              <li key={href}>
                <Link href={href} aria-current={isHere(href) ? "page" : undefined}>
                  <Icon aria-hidden />
                  {t(text)}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

function Person() {
  const { t } = useText();
  const { account, accounts, choose, user } = useAccount();
  const logout = useLogout();
  return (
    <div className="person">
      {accounts.length > 1 && (
        <label>
          <span>{t("nav.shownAccount")}</span>
          <select value={account.account_sid} onChange={(event) => choose(event.target.value)}>
            {accounts.map((one) => (
              <option key={one.account_sid} value={one.account_sid}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
      )}
      <Preferences />
      <div className="who">
        <Link href="/account/password" title={t("password.title")}>
          <UserRound aria-hidden />
          {user.name}
        </Link>
        <button type="button" className="icon-button" aria-label={t("logout")} title={t("logout")} onClick={() => void logout()}>
          <LogOut aria-hidden />
        </button>
      </div>
    </div>
  );
}

/** Language and theme; also on the login page. */
export function Preferences() {
  const { t, language, setLanguage } = useText();
  const [theme, setTheme] = useState<Theme>(storedTheme);
  return (
    <div className="preferences">
      <select
        aria-label={t("language")}
        value={language}
        onChange={(event) => setLanguage(event.target.value as Language)}
      >
        <option value="en">English</option>
        <option value="zh">中文</option>
      </select>
      <select
        aria-label={t("theme")}
        value={theme}
        onChange={(event) => {
          setTheme(event.target.value as Theme);
          rememberTheme(event.target.value as Theme);
        }}
      >
        <option value="system">{t("theme.system")}</option>
        <option value="light">{t("theme.light")}</option>
        <option value="dark">{t("theme.dark")}</option>
      </select>
    </div>
  );
}
