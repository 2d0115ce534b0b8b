package auth_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/testissuer"
)

const redirect = "https://chat.example/auth/oidc/callback"

// door signs people in at an issuer of its own.
type door struct {
	*testing.T
	*auth.OIDC
	issuer *testissuer.Issuer
}

func newDoor(t *testing.T, change func(*auth.OIDCConfig)) *door {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	d := &door{T: t, issuer: testissuer.New(t, func() time.Time { return now })}
	c := auth.OIDCConfig{
		Issuer: d.issuer.URL, ClientID: testissuer.ClientID, ClientSecret: testissuer.ClientSecret,
		Now: func() time.Time { return now },
	}
	if change != nil {
		change(&c)
	}
	var err error
	if d.OIDC, err = auth.NewOIDC(c); err != nil {
		t.Fatal(err)
	}
	return d
}

// visit goes to the issuer's page and gives what it sends to the redirect.
func (d *door) visit() (url.Values, auth.Flow) {
	d.Helper()
	page, flow, err := d.Begin(d.Context(), redirect)
	if err != nil {
		d.Fatal(err)
	}
	r, err := http.NewRequestWithContext(d.Context(), http.MethodGet, page, nil)
	if err != nil {
		d.Fatal(err)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		d.Fatal(err)
	}
	response.Body.Close()
	back, err := response.Location()
	if err != nil || !strings.HasPrefix(back.String(), redirect+"?") {
		d.Fatalf("the issuer sends to %v, %v: status %s", back, err, response.Status)
	}
	return back.Query(), flow
}

// signIn signs in as who has these claims.
func (d *door) signIn(claims map[string]any) (auth.Claimant, error) {
	d.Helper()
	d.issuer.SignIn(claims)
	answer, flow := d.visit()
	return d.Finish(d.Context(), redirect, answer, flow)
}

func TestOIDC(t *testing.T) {
	d := newDoor(t, func(c *auth.OIDCConfig) { c.HandleClaim = "preferred_username" })
	for name, c := range map[string]struct{ claimed, handle string }{
		"a handle": {"alice", "alice"}, "none": {"", ""}, "an address": {"alice@chat.example", ""},
		"a reserved one": {"admin", ""}, "look-alikes": {"аlice", ""},
	} {
		got, err := d.signIn(map[string]any{"sub": "7", "preferred_username": c.claimed})
		want := auth.Claimant{Subject: d.issuer.URL + " 7", Handle: c.handle}
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
		}
	}
}

// TestS4_OIDCFlow mixes the answers of the issuer up: each is good for its own sign-in, once.
func TestS4_OIDCFlow(t *testing.T) {
	d := newDoor(t, nil)
	answer, flow := d.visit()
	another, anotherFlow := d.visit()
	change := func(name, value string) url.Values {
		changed := maps.Clone(answer)
		changed.Set(name, value)
		return changed
	}
	without := func(name string) url.Values {
		changed := maps.Clone(answer)
		changed.Del(name)
		return changed
	}
	twice := maps.Clone(answer)
	twice["code"] = append(twice["code"], "other")
	for name, c := range map[string]struct {
		answer url.Values
		flow   auth.Flow
	}{
		"another state":           {change("state", another.Get("state")), flow},
		"no state":                {without("state"), flow},
		"another sign-in's":       {another, flow},
		"to a flow of nobody":     {answer, auth.Flow{}},
		"an empty state":          {change("state", ""), auth.Flow{}},
		"another issuer's":        {change("iss", "https://evil.example"), flow},
		"of an issuer that hides": {without("iss"), flow},
		"no code":                 {without("code"), flow},
		"two codes":               {twice, flow},
		"an error":                {change("error", "access_denied"), flow},
		"an unknown code":         {change("code", "guess"), flow},
		"another nonce":           {another, auth.Flow{State: anotherFlow.State, Nonce: "x", Verifier: anotherFlow.Verifier}},
	} {
		if got, err := d.Finish(t.Context(), redirect, c.answer, c.flow); !chat.Is(err, chat.Unauthenticated) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	answer, flow = d.visit()
	stolen := flow
	stolen.Verifier = anotherFlow.Verifier // who has seen the redirect has the code, and no verifier
	if got, err := d.Finish(t.Context(), redirect, answer, stolen); !chat.Is(err, chat.Unauthenticated) {
		t.Errorf("another verifier: got %+v, %v", got, err)
	}
	answer, flow = d.visit()
	if _, err := d.Finish(t.Context(), redirect, answer, flow); err != nil {
		t.Errorf("a sign-in: %v", err)
	}
	if got, err := d.Finish(t.Context(), redirect, answer, flow); !chat.Is(err, chat.Unauthenticated) {
		t.Errorf("the same again: got %+v, %v", got, err)
	}
	if got, err := d.signIn(map[string]any{"azp": "another-client"}); !chat.Is(err, chat.Unauthenticated) {
		t.Errorf("another party's token: got %+v, %v", got, err)
	}
}

func TestOIDC_allow(t *testing.T) {
	d := newDoor(t, func(c *auth.OIDCConfig) {
		c.Allow, c.Owners = []string{"groups=chat", "@chat.example"}, []string{"7", "Boss@chat.example"}
	})
	verified := func(email string) map[string]any { return map[string]any{"email": email, "email_verified": true} }
	for name, c := range map[string]struct {
		claims    map[string]any
		in, owner bool
	}{
		"nothing":              {nil, false, false},
		"the group":            {map[string]any{"groups": []string{"tea", "chat"}}, true, false},
		"another group":        {map[string]any{"groups": []string{"chatters"}}, false, false},
		"one group":            {map[string]any{"groups": "chat"}, true, false},
		"an address":           {verified("ann@CHAT.example"), true, false},
		"one not verified":     {map[string]any{"email": "ann@chat.example"}, false, false},
		"verified as a text":   {map[string]any{"email": "ann@chat.example", "email_verified": "true"}, true, false},
		"a longer domain":      {verified("ann@evilchat.example"), false, false},
		"a subdomain":          {verified("ann@a.chat.example"), false, false},
		"two signs":            {verified("a@chat.example@evil.example"), false, false},
		"an owner's address":   {verified("boss@chat.example"), true, true},
		"one that anybody has": {map[string]any{"email": "boss@chat.example", "groups": "chat"}, true, false},
		"an owner's subject":   {map[string]any{"sub": "7", "groups": "chat"}, true, true},
		"who is not let in":    {map[string]any{"sub": "7"}, false, false},
	} {
		got, err := d.signIn(c.claims)
		switch {
		case !c.in && !chat.Is(err, chat.Forbidden):
			t.Errorf("%s: got %+v, %v, want %q", name, got, err, chat.Forbidden)
		case c.in && (err != nil || got.Owner != c.owner):
			t.Errorf("%s: got %+v, %v, want in, and an owner: %v", name, got, err, c.owner)
		}
	}
}

func TestOIDC_LeaveURL(t *testing.T) {
	d := newDoor(t, nil)
	u, err := url.Parse(d.OIDC.LeaveURL(t.Context(), "https://chat.example/"))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Path != "/leave" || q.Get("from") != "discovery" || q.Get("client_id") != testissuer.ClientID ||
		q.Get("post_logout_redirect_uri") != "https://chat.example/" {
		t.Errorf("got %s", u)
	}
}

func TestOIDC_down(t *testing.T) {
	d := newDoor(t, nil)
	d.issuer.Down(true)
	if _, _, err := d.Begin(t.Context(), redirect); !chat.Is(err, chat.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestNewOIDC(t *testing.T) {
	for name, c := range map[string]auth.OIDCConfig{
		"no client":     {Issuer: "https://accounts.example"},
		"no issuer":     {ClientID: "confab"},
		"no TLS":        {Issuer: "http://accounts.example", ClientID: "confab"},
		"a rule":        {Issuer: "https://accounts.example", ClientID: "confab", Allow: []string{"groups"}},
		"an empty one":  {Issuer: "https://accounts.example", ClientID: "confab", Allow: []string{""}},
		"no claim":      {Issuer: "https://accounts.example", ClientID: "confab", Allow: []string{"=chat"}},
		"no value":      {Issuer: "https://accounts.example", ClientID: "confab", Allow: []string{"groups="}},
		"every address": {Issuer: "https://accounts.example", ClientID: "confab", Allow: []string{"@"}},
	} {
		if _, err := auth.NewOIDC(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestService_Claim binds accounts to subjects, and to nothing else.
func TestService_Claim(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	d.Maker = auth.IssuerMaker
	who := auth.Claimant{Subject: "https://accounts.example 7", Owner: true}
	_, err := d.Claimed(ctx, who)
	d.want("who never came", err, chat.NotFound)
	_, err = d.Claim(ctx, who, "admin")
	d.want("a reserved handle", err, chat.Invalid)
	alice, err := d.Claim(ctx, who, "alice")
	if err != nil || !alice.Owner || alice.Handle != "alice" {
		t.Fatalf("got %+v, %v", alice, err)
	}
	again, err := d.Claim(ctx, who, "alice2")
	if err != nil || again != alice {
		t.Errorf("in another window: got %+v, %v, want %+v", again, err, alice)
	}
	other := auth.Claimant{Subject: "https://accounts.example 8", Handle: "alice"}
	for _, handle := range []string{"alice", "ALICE", "al1ce", "a.lice"} {
		_, err = d.Claim(ctx, other, handle)
		d.want(handle, err, chat.Taken)
	}
	_, err = d.Claimed(ctx, auth.Claimant{Subject: "https://other.example 7"})
	d.want("the same subject of another issuer", err, chat.NotFound)
	if _, err := d.Disable(ctx, nil, "alice", true); err != nil {
		t.Fatal(err)
	}
	_, err = d.Claimed(ctx, who)
	d.want("who is disabled", err, chat.Forbidden)
	_, err = d.Claim(ctx, who, "alicia")
	d.want("another account of who is disabled", err, chat.Forbidden)
}

// TestService_Maker makes and takes no link that is good for nothing.
func TestService_Maker(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	invitation, _, err := d.Invite(ctx, nil, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	d.owner("alice")
	device, _, err := d.AddDevice(ctx, nil, "alice")
	if err != nil {
		t.Fatal(err)
	}
	for maker, devices := range map[auth.Maker]bool{auth.IssuerMaker: true, auth.ProxyMaker: false} {
		d.Maker = maker
		_, _, err := d.Invite(ctx, nil, 1, 0)
		d.want("an invitation", err, chat.Forbidden)
		_, _, err = d.MakeOwnerLink(ctx)
		d.want("a link for an owner", err, chat.Forbidden)
		_, _, err = d.Look(ctx, invitation)
		d.want("a look at an invitation of before", err, chat.Forbidden)
		_, _, err = d.SignIn(ctx, invitation, "bob", "")
		d.want("an invitation of before", err, chat.Forbidden)
		_, _, err = d.AddDevice(ctx, nil, "alice")
		if chat.Is(err, chat.Forbidden) == devices {
			t.Errorf("maker %d: a link for a device: %v", maker, err)
		}
		_, _, err = d.Look(ctx, device)
		if chat.Is(err, chat.Forbidden) == devices {
			t.Errorf("maker %d: a device's link: %v", maker, err)
		}
	}
	d.Maker, d.SessionLife = auth.IssuerMaker, time.Hour
	if _, signed := d.signIn(device, ""); signed.Session.Until != d.now.Add(time.Hour) {
		t.Errorf("the session lasts until %v", signed.Session.Until)
	}
}
