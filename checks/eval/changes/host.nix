# Changes of one instance on its host: which of them nats-server takes over when it is told to reload.
{ lib, ... }:
let
  leaf = options: { host.services.cim.leaves.a = options; };
  hub = options: { host.services.cim.hub = options; };
in
{
  # taken over on reload
  "leaf: limits.maxPayload" = leaf { limits.maxPayload = "2MiB"; };
  "leaf: limits.pingInterval" = leaf { limits.pingInterval = "11s"; };
  "leaf: logging" = leaf { logging.debug = true; };
  "leaf: a user" = leaf {
    accounts.CIM.users.other.nkey = "UBLVEJ3WMT2E4QAWUKL73GOUL2GTNLGZCGNC7B7KBPGNKZMDXQUQGUYZ";
  };
  "leaf: another certificate" = leaf {
    remotes.hub.tls.certFile = lib.mkForce "/run/secrets/other.pem";
  };
  "leaf: compression" = leaf { remotes.hub.compression = "s2_better"; };
  "hub: limits.maxPayload" = hub { limits.maxPayload = "2MiB"; };
  "hub: logging" = hub { logging.debug = true; };
  "hub: another certificate" = hub { tls.certFile = lib.mkForce "/run/secrets/other.pem"; };

  # said in the build, and nowhere in nats.conf
  "hub: acknowledged" = hub {
    acknowledged."trace services.cim.hub.logging.trace" = "for this week";
  };
  "leaf: acknowledged" = leaf {
    acknowledged."trace services.cim.leaves.a.logging.trace" = "for this week";
  };
  "leaf: a field" = leaf { logging.maxTracedMsgLen = 1024; };
  "leaf: a field of the link's TLS" = leaf { remotes.hub.tls.minVersion = "1.3"; };
  "leaf: a field of a remote" = leaf { remotes.hub.disabled = true; };
  "leaf: a field of an account" = leaf { accounts.CIM.limits.maxPayload = "64KiB"; };
  "leaf: rttThresholds" = leaf { remotes.hub.rttThresholds = [ "20ms" ]; };
  "leaf: exports of an account" = leaf { accounts.CIM.exports = [ { stream = "a.>"; } ]; };
  "hub: a field" = hub { limits.noFastProducerStall = true; };
  "hub: a field of JetStream" = hub { jetstream.limits.maxAckPending = 1000; };
  "hub: a field of clients' TLS" = hub { tls.handshakeFirst = "auto"; };
  "hub: mappings of an account" = {
    fleet.accounts.CIM.mappings."orders.*" = "orders.v2.{{wildcard(1)}}";
  };

  # never taken over
  "leaf: limits.maxPending" = leaf { limits.maxPending = "32MiB"; };
  "leaf: port" = leaf { port = lib.mkForce 4333; };
  "leaf: httpPort" = leaf { httpPort = lib.mkForce 8333; };
  "leaf: host" = leaf { host = "::1"; };
  "leaf: settings" = leaf { settings.resolver_tls.ca_file = "/run/secrets/ca.pem"; };
  "leaf: a field that needs a restart" = leaf { jetstream.strict = false; };
  "leaf: a field of a remote that needs a restart" = leaf { remotes.hub.noRandomize = true; };
  "leaf: a field of TLS that needs a restart" = leaf { remotes.hub.tls.timeout = "7s"; };
  "leaf: websocket.port" = leaf { websocket.port = 8080; };
  "leaf: mqtt.port" = leaf { mqtt.port = 1883; };
  "leaf: jetstream.encryption" = leaf { jetstream.encryption.keyFile = "/run/secrets/store.key"; };
  "leaf: jetstream.enable" = leaf { jetstream.enable = false; };
  "leaf: jetstream.maxFileStore" = leaf { jetstream.maxFileStore = "20GiB"; };
  "leaf: leafnodes.reconnect" = leaf { leafnodes.reconnect = "2s"; };
  "leaf: no TLS of the link" = leaf { remotes.hub.tls = lib.mkForce null; };
  "leaf: TLS for clients" = leaf {
    tls = {
      certFile = "/run/secrets/server.pem";
      keyFile = "/run/secrets/server.key";
    };
  };
  "hub: limits.maxPending" = hub { limits.maxPending = "32MiB"; };
  "hub: host" = hub { host = "10.0.0.1"; };
  "hub: settings" = hub { settings.resolver_tls.ca_file = "/run/secrets/ca.pem"; };
  "hub: a field that needs a restart" = hub { limits.maxSubTokens = 16; };
  "hub: a field of leafnodes" = hub { leafnodes.minVersion = "2.14.0"; };
  "hub: isolateInterest" = {
    fleet.hubs.hub.leafnodes.isolateInterest = true;
  };
  "hub: jetstream.syncInterval" = hub { jetstream.syncInterval = "1s"; };

  # in the unit: systemd sets these when it starts the process
  "leaf: limits.maxConnections" = leaf { limits.maxConnections = 100; };
  "leaf: lameDuck.duration" = leaf { lameDuck.duration = "2m"; };
  "leaf: lameDuck in milliseconds" = leaf {
    lameDuck = {
      duration = "45000ms";
      gracePeriod = "1500ms";
    };
  };
  "leaf: lameDuck with a leading zero" = leaf { lameDuck.duration = "035s"; };
  "hub: jetstream.encryption" = hub { jetstream.encryption.keyFile = "/run/secrets/store.key"; };
  "hub: a key for a store that is off" = hub {
    jetstream = {
      enable = false;
      encryption.keyFile = "/run/secrets/store.key";
    };
  };
  "leaf: memoryMaxBytes" = leaf { memoryMaxBytes = 1024 * 1024 * 1024; };
  "leaf: nkeySeedFile" = leaf { nkeySeedFile = "/run/secrets/a.nk"; };
  "leaf: another nats-server" = {
    host =
      { pkgs, ... }:
      {
        services.cim.leaves.a.package = pkgs.nats-server // {
          version = if pkgs.nats-server.version == "2.14.6" then "2.14.7" else "2.14.6";
        };
      };
  };

  # not the server's business
  "leaf: openFirewall" = leaf { openFirewall = true; };
  "hub: openFirewall" = hub { openFirewall = true; };
  "hub: leafnodes.openFirewall" = hub { leafnodes.openFirewall = true; };
  "hub: cluster.openFirewall of a hub of one node" = hub { cluster.openFirewall = true; };
}
