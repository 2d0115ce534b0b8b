package egress

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// dialTimeout is how long a host may take to answer.
const dialTimeout = 30 * time.Second

// tunnel connects a client with a host that is nobody's here, and looks at nothing.
func (g *Gate) tunnel(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), dialTimeout)
	defer cancel()
	out, err := g.cfg.Dial(ctx, "tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	in, ok := hijack(w)
	if !ok {
		out.Close()
		return
	}
	go pass(out, in)
	pass(in, out)
}

// pass copies one direction. The end of either ends both: TLS has said its own goodbye by then.
func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from) // the other side is told by the close
	to.Close()
	from.Close()
}

// dialBy opens connections by the proxies that a function chooses, as http.ProxyFromEnvironment:
// the machine may have no other way out. Proxies that are not spoken to over plain HTTP are not
// used.
func dialBy(
	choose func(*http.Request) (*url.URL, error),
) func(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := new(net.Dialer)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		proxy, err := choose(&http.Request{URL: &url.URL{Scheme: "https", Host: address}})
		if err != nil || proxy == nil || proxy.Scheme != "http" {
			return dialer.DialContext(ctx, network, address)
		}
		host := proxy.Host
		if proxy.Port() == "" {
			host = net.JoinHostPort(proxy.Hostname(), "80")
		}
		conn, err := dialer.DialContext(ctx, network, host)
		if err != nil {
			return nil, err
		}
		return askProxy(ctx, conn, proxy, address)
	}
}

// askProxy has a proxy connect to an address.
func askProxy(
	ctx context.Context, conn net.Conn, proxy *url.URL, address string,
) (net.Conn, error) {
	request := &http.Request{
		Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address,
		Header: http.Header{},
	}
	if u := proxy.User; u != nil {
		password, _ := u.Password()
		basic := &http.Request{Header: http.Header{}}
		basic.SetBasicAuth(u.Username(), password)
		request.Header.Set("Proxy-Authorization", basic.Header.Get("Authorization"))
	}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	if err := request.Write(conn); err != nil {
		conn.Close()
		return nil, err
	}
	answer := bufio.NewReader(conn)
	response, err := http.ReadResponse(answer, request)
	if err != nil {
		conn.Close()
		return nil, err
	}
	defer response.Body.Close() // what follows is no body
	if response.StatusCode != http.StatusOK {
		conn.Close()
		return nil, fmt.Errorf("the proxy %s answered %s", proxy.Host, response.Status)
	}
	conn.SetDeadline(time.Time{})
	return &replayed{Conn: conn, first: rest(answer)}, nil
}

// hostOf is the host of an authority, in small letters and without its port.
func hostOf(authority string) string {
	if host, _, err := net.SplitHostPort(authority); err == nil {
		authority = host
	}
	return strings.ToLower(strings.TrimSuffix(authority, "."))
}
