# What the operator names is his own affair: only the rest is sealed.
{
  fleet.operator = { };
  host.services.cim = {
    hub = {
      enable = true;
      tls.handshakeFirst = "auto";
      leafnodes.tls = {
        certFile = "/var/lib/acme/hub/fullchain.pem";
        keyFile = "/var/lib/acme/hub/key.pem";
      };
      jetstream.encryption.keyFile = "/etc/nats/store.key";
    };
    leaves.plant-a = {
      port = 4223;
      httpPort = 8223;
      remotes.hub.credentialsFile = "/etc/nats/plant-a.creds";
      accounts.CIM.users.app.nkey = "UA2AFBM7M3PSY4Q3H2PGSTXJ5GJPOYQ6MC5VTQ45BIU4XI6IEGFRFEY5";
    };
    sops.names = [ "nats.example.com" ];
  };
}
