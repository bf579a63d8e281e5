# Seed 002, "Minimal Leaf Node": one link by a `.creds` file, to a hub that somebody else runs in operator mode.
# Not as there: monitoring has no authentication, so it stays on loopback.
{
  fleet = {
    hubs.hub.nodes.hub.address = "hub.cim.example.com";
    accounts.CIM = { };
    leaves.cim-prod-001 = {
      account = "CIM";
      exports = [ "domain.>" ];
    };
  };

  hosts.cim-prod-001 = {
    services.cim.leaves.cim-prod-001 = {
      remotes.hub = {
        credentialsFile = "/etc/nats/leaf.creds";
        tls.caFile = "/etc/ssl/certs/cim-ca.pem";
      };

      # Clients of other machines connect without TLS: said out loud.
      host = "0.0.0.0";
      plaintext = true;
      acknowledged."plaintext services.cim.leaves.cim-prod-001.plaintext" =
        "clients are in the site's own network";
      openFirewall = true;

      accounts.CIM.users.app.nkey = "UCXYR2CF54B6ASOHLH5NIVFFIJK77GRO6VIMZDYMSNG4OSDCLWU4C24E";
      jetstream = {
        maxMemoryStore = "4GiB";
        maxFileStore = "100GiB";
      };
    };
  };
}
