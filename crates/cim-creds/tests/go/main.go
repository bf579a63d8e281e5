// Writes one token of each kind with the reference implementation, and the digest of a .creds file.
// Keys come from fixed raw bytes, so that no seed's text stands in git. README.md says how to run it.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

func pair(kind nkeys.PrefixByte, raw byte) nkeys.KeyPair {
	bytes := make([]byte, 32)
	for i := range bytes {
		bytes[i] = raw
	}
	kp, err := nkeys.FromRawSeed(kind, bytes)
	check(err)
	return kp
}

func public(kp nkeys.KeyPair) string {
	text, err := kp.PublicKey()
	check(err)
	return text
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func write(name string, claims jwt.Claims, kp nkeys.KeyPair) string {
	vr := jwt.CreateValidationResults()
	claims.Validate(vr)
	if errs := vr.Errors(); len(errs) > 0 {
		panic(fmt.Sprint(name, errs))
	}
	token, err := claims.Encode(kp)
	check(err)
	check(os.WriteFile("tokens/"+name+".jwt", []byte(token+"\n"), 0o644))
	return token
}

var (
	operator    = pair(nkeys.PrefixByteOperator, 1)
	operatorKey = pair(nkeys.PrefixByteOperator, 2)
	account     = pair(nkeys.PrefixByteAccount, 3)
	accountKey  = pair(nkeys.PrefixByteAccount, 4)
	scopedKey   = pair(nkeys.PrefixByteAccount, 5)
	other       = pair(nkeys.PrefixByteAccount, 6)
	user        = pair(nkeys.PrefixByteUser, 7)
	server      = pair(nkeys.PrefixByteServer, 8)
)

func xkey() string {
	bytes := make([]byte, 32)
	for i := range bytes {
		bytes[i] = 9
	}
	kp, err := nkeys.FromRawSeed(nkeys.PrefixByteCurve, bytes)
	check(err)
	return public(kp)
}

func operators() {
	least := jwt.NewOperatorClaims(public(operator))
	least.Name = "least"
	write("operator-least", least, operator)

	full := jwt.NewOperatorClaims(public(operator))
	full.Name = "a <b> & \"c\" ü \u2028 \u0001 \b\f\n"
	full.Audience = "anyone"
	full.Expires = 4102444800
	full.NotBefore = 1
	full.SigningKeys.Add(public(operatorKey))
	full.AccountServerURL = "https://accounts.example:9090/jwt/v1"
	full.OperatorServiceURLs.Add("nats://hub-1.example:4222", "tls://hub-2.example:4222")
	full.SystemAccount = public(other)
	full.AssertServerVersion = "2.10.0"
	full.StrictSigningKeyUsage = true
	full.Tags.Add("fleet:north", "Prod")
	write("operator-full", full, operator)
}

func accounts(activation string) {
	write("account-least", jwt.NewAccountClaims(public(account)), operatorKey)

	full := jwt.NewAccountClaims(public(account))
	full.Name = "CIM"
	full.Limits.Subs, full.Limits.Data, full.Limits.Payload = 1000, 1<<40, 65536
	full.Limits.Imports, full.Limits.Exports = 10, 10
	full.Limits.DisallowBearer = true
	full.Limits.Conn, full.Limits.LeafNodeConn = 500, 50
	full.Limits.JetStreamLimits = jwt.JetStreamLimits{
		MemoryStorage: -1, DiskStorage: 1 << 30, Streams: 10, Consumer: 100, MaxAckPending: 1000,
		MemoryMaxStreamBytes: 1 << 20, DiskMaxStreamBytes: 1 << 28, MaxBytesRequired: true,
	}
	scope := jwt.NewUserScope()
	scope.Key, scope.Role, scope.Description = public(scopedKey), "leaf", "leaves' users"
	scope.Template.Pub.Allow.Add("leaf.{{name()}}.>")
	scope.Template.Pub.Deny.Add("leaf.*.secret")
	scope.Template.Sub.Allow.Add("_INBOX.>", "cmd.{{name()}}.> q")
	scope.Template.Resp = &jwt.ResponsePermission{MaxMsgs: 1, Expires: 30 * time.Second}
	scope.Template.AllowedConnectionTypes.Add(jwt.ConnectionTypeLeafnode, jwt.ConnectionTypeLeafnodeWS)
	scope.Template.Payload = 4096
	full.SigningKeys.AddScopedSigner(scope)
	full.SigningKeys.Add(public(accountKey))
	full.Exports.Add(
		&jwt.Export{Name: "z", Subject: "z.*.>", Type: jwt.Stream, TokenReq: true, AccountTokenPosition: 2, Advertise: true,
			Revocations: jwt.RevocationList{public(other): 5, "*": 3}},
		&jwt.Export{Name: "a", Subject: "a.cfg", Type: jwt.Service, ResponseType: jwt.ResponseTypeChunked,
			ResponseThreshold: 2 * time.Second, AllowTrace: true,
			Latency: &jwt.ServiceLatency{Sampling: jwt.Headers, Results: "a.latency"},
			Info:    jwt.Info{Description: "settings", InfoURL: "https://docs.example/a"}},
		&jwt.Export{Subject: "b", Type: jwt.Service, ResponseType: jwt.ResponseTypeStream,
			Latency: &jwt.ServiceLatency{Sampling: 25, Results: "b.latency"}},
		&jwt.Export{Subject: "c", Type: jwt.Service, ResponseType: jwt.ResponseTypeSingleton},
	)
	full.Imports.Add(
		&jwt.Import{Name: "events", Subject: "events.*", Account: public(other), LocalSubject: "north.$1", Type: jwt.Stream, AllowTrace: true},
		&jwt.Import{Name: "cfg", Subject: "cfg.get", Account: public(other), Token: activation, LocalSubject: "hub.cfg", Type: jwt.Service, Share: true},
		&jwt.Import{Subject: "old", Account: public(other), To: "new.old", Type: jwt.Service},
	)
	full.Revocations = jwt.RevocationList{public(user): 100, jwt.All: 50}
	full.DefaultPermissions.Pub.Allow.Add("open.>")
	full.DefaultPermissions.Sub.Deny.Add("closed.>")
	full.DefaultPermissions.Resp = &jwt.ResponsePermission{MaxMsgs: -1, Expires: 0}
	full.AddMapping("orders.*", jwt.WeightedMapping{Subject: "orders.v1.$1", Weight: 80}, jwt.WeightedMapping{Subject: "orders.v2.$1", Weight: 20, Cluster: "hub"})
	full.AddMapping("bar", jwt.WeightedMapping{Subject: "foo"})
	full.Authorization.AuthUsers.Add(public(user))
	full.Authorization.AllowedAccounts.Add(public(other))
	full.Authorization.XKey = xkey()
	full.Trace = &jwt.MsgTrace{Destination: "trace.here", Sampling: 10}
	full.ClusterTraffic = jwt.ClusterTrafficOwner
	full.Description, full.InfoURL = "all fields", "https://docs.example/cim"
	full.Tags.Add("one", "two")
	write("account-full", full, operatorKey)

	tiers := jwt.NewAccountClaims(public(account))
	tiers.Limits.JetStreamTieredLimits["R3"] = jwt.JetStreamLimits{DiskStorage: 1 << 30, Streams: -1, Consumer: -1}
	tiers.Limits.JetStreamTieredLimits["R1"] = jwt.JetStreamLimits{MemoryStorage: 1 << 20, DiskStorage: 1 << 31}
	tiers.Authorization.AuthUsers.Add(public(user))
	tiers.Authorization.AllowedAccounts.Add("*")
	write("account-tiers", tiers, operator)
}

func users() string {
	least := jwt.NewUserClaims(public(user))
	least.Name = "least"
	token := write("user-least", least, account)

	scoped := jwt.NewUserClaims(public(user))
	scoped.Name, scoped.IssuerAccount = "device-0001", public(account)
	scoped.SetScoped(true)
	scoped.Tags.Add("site:north")
	write("user-scoped", scoped, scopedKey)

	full := jwt.NewUserClaims(public(user))
	full.Name, full.IssuerAccount, full.Expires = "full", public(account), 4102444800
	full.Pub.Allow.Add("a.>", "b")
	full.Pub.Deny.Add("a.b")
	full.Sub.Allow.Add("c", "d.* queue")
	full.Sub.Deny.Add("d.x")
	full.Resp = &jwt.ResponsePermission{MaxMsgs: 5, Expires: time.Minute}
	full.Src.Add("10.0.0.0/8", "2001:db8::/32")
	full.Times = []jwt.TimeRange{{Start: "08:00:00", End: "18:00:00"}, {Start: "22:00:00", End: "23:00:00"}}
	full.Locale = "Europe/Berlin"
	full.Limits.Subs, full.Limits.Data, full.Limits.Payload = 10, 1<<33, 1024
	full.BearerToken, full.ProxyRequired = true, true
	full.AllowedConnectionTypes.Add(jwt.ConnectionTypeStandard, jwt.ConnectionTypeMqtt)
	full.Tags.Add("t")
	write("user-full", full, accountKey)
	return token
}

func callouts(token string) {
	request := jwt.NewAuthorizationRequestClaims(public(account))
	request.Audience = "nats-authorization-request"
	request.UserNkey = public(user)
	request.Server = jwt.ServerID{Name: "hub-1", Host: "0.0.0.0", ID: public(server)}
	request.ConnectOptions.Protocol = 1
	write("authorization-request-least", request, server)

	request.Server.Version, request.Server.Cluster, request.Server.XKey = "2.15.1", "hub", xkey()
	request.Server.Tags.Add("az:1")
	request.ClientInformation = jwt.ClientInformation{Host: "127.0.0.1", ID: 10, User: "u", Name: "dev", NameTag: "nt", Kind: "Client",
		Type: "mqtt", MQTT: "m", Nonce: "n", Tags: jwt.TagList{"x"}}
	request.ConnectOptions = jwt.ConnectOptions{JWT: token, Nkey: public(user), SignedNonce: "s", Token: "not a token", Username: "u",
		Password: "not a password", Name: "dev", Lang: "rust", Version: "1", Protocol: 1}
	request.TLS = &jwt.ClientTLS{Version: "1.3", Cipher: "TLS_AES_128_GCM_SHA256", Certs: jwt.StringList{"pem"},
		VerifiedChains: []jwt.StringList{{"leaf", "ca"}, {"leaf"}}}
	request.RequestNonce = "rn"
	request.Tags.Add("r")
	write("authorization-request-full", request, server)

	allow := jwt.NewAuthorizationResponseClaims(public(user))
	allow.Audience, allow.Jwt, allow.IssuerAccount = public(server), token, public(account)
	write("authorization-response-allow", allow, accountKey)

	deny := jwt.NewAuthorizationResponseClaims(public(user))
	deny.Audience, deny.Error = public(server), "unknown device"
	write("authorization-response-deny", deny, account)
}

func main() {
	check(os.MkdirAll("tokens", 0o755))
	operators()
	activation := jwt.NewActivationClaims(public(account))
	activation.Name, activation.ImportSubject, activation.ImportType = "cfg", "cfg.get", jwt.Service
	activation.Expires = 4102444800
	accounts(write("activation-least", activation, other))
	activation.ImportSubject, activation.ImportType, activation.IssuerAccount = "events.>", jwt.Stream, public(other)
	activation.Tags.Add("a")
	write("activation-full", activation, accountKey)

	token := users()
	callouts(token)

	seed, err := user.Seed()
	check(err)
	creds, err := jwt.FormatUserConfig(token, seed)
	check(err)
	digest := fmt.Sprintf("%x\n", sha256.Sum256(creds))
	check(os.WriteFile("tokens/user-least.creds.sha256", []byte(digest), 0o644))
}
