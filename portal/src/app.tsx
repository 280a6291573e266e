/** Decides between login, forced password change and the portal; knows every screen's address. */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Route, Switch } from "wouter";
import { answered, api } from "./api/client";
import { Layout } from "./layout";
import { Login } from "./screens/login";
import { ForcedPassword, Password } from "./screens/password";
import { AccountProvider, useMe } from "./session";
import { useText } from "./text";
import { Loaded, Loading, Page } from "./ui/parts";
import type { User } from "./api/types";

const Overview = lazy(() => import("./screens/overview"));
const Calls = lazy(() => import("./screens/calls/list"));
const CallPage = lazy(() => import("./screens/calls/call"));
const Alerts = lazy(() => import("./screens/alerts"));
const Applications = lazy(() => import("./screens/applications/list"));
const ApplicationPage = lazy(() => import("./screens/applications/application"));
const Numbers = lazy(() => import("./screens/numbers"));
const Carriers = lazy(() => import("./screens/carriers/list"));
const CarrierPage = lazy(() => import("./screens/carriers/carrier"));
const ServiceList = lazy(() => import("./screens/services/list"));
const ServicePage = lazy(() => import("./screens/services/service"));
const ApiKeys = lazy(() => import("./screens/api-keys"));
const Settings = lazy(() => import("./screens/settings"));
const Users = lazy(() => import("./screens/users"));

export function App() {
  const me = useMe();
  return (
    <Loaded query={me}>{(user) => (user === null ? <Login /> : user.force_change ? <ForcedPassword user={user} /> : <Portal user={user} />)}</Loaded>
  );
}

function Portal({ user }: { user: User }) {
  const accounts = useQuery({ queryKey: ["accounts"], queryFn: () => answered(api.GET("/v1/Accounts")) });
  return (
    <Loaded query={accounts}>
      {(all) => (
        <AccountProvider user={user} accounts={all}>
          <Layout>
            <Suspense fallback={<Loading />}>
              <Screens />
            </Suspense>
          </Layout>
        </AccountProvider>
      )}
    </Loaded>
  );
}

function Screens() {
  return (
    <Switch>
      <Route path="/" component={Overview} />
      <Route path="/calls" component={Calls} />
      <Route path="/calls/:sid">{({ sid }) => <CallPage key={sid} sid={sid} />}</Route>
      <Route path="/alerts" component={Alerts} />
      <Route path="/applications" component={Applications} />
      <Route path="/applications/:sid">{({ sid }) => <ApplicationPage key={sid} sid={sid} />}</Route>
      <Route path="/numbers" component={Numbers} />
      <Route path="/carriers" component={Carriers} />
      <Route path="/carriers/:sid">{({ sid }) => <CarrierPage key={sid} sid={sid} />}</Route>
      <Route path="/account/llm-services">{() => <ServiceList key="llm" kind="llm" />}</Route>
      <Route path="/account/llm-services/:sid">{({ sid }) => <ServicePage key={`llm ${sid}`} kind="llm" sid={sid} />}</Route>
      <Route path="/account/speech-services">{() => <ServiceList key="speech" kind="speech" />}</Route>
      <Route path="/account/speech-services/:sid">{({ sid }) => <ServicePage key={`speech ${sid}`} kind="speech" sid={sid} />}</Route>
      <Route path="/account/api-keys" component={ApiKeys} />
      <Route path="/account/settings" component={Settings} />
      <Route path="/account/users" component={Users} />
      <Route path="/account/password" component={Password} />
      <Route component={NotFound} />
    </Switch>
  );
}

function NotFound() {
  const { t } = useText();
  return (
    <Page title={t("notFound")}>
      <p>{t("notFound.text")}</p>
    </Page>
  );
}
