# The smallest leaf of a hub that somebody else runs in operator mode: one link by a `.creds` file.
{ mkFleet }:
{
  networking.hostName = "cim-prod-001";

  services.cim = {
    fleet = mkFleet {
      hubs.hub.nodes.hub.address = "hub.cim.example.com";
      accounts.CIM = { };
      leaves.cim-prod-001.account = "CIM";
    };

    leaves.cim-prod-001 = {
      remotes.hub = {
        credentialsFile = "/etc/nats/leaf.creds";
        tls = { }; # the hub's certificate comes from one of the system's authorities
      };

      # Clients of other machines connect without TLS: said out loud.
      host = "0.0.0.0";
      plaintext = true;
      openFirewall = true;

      accounts.CIM.users.app.nkey = "UCXYR2CF54B6ASOHLH5NIVFFIJK77GRO6VIMZDYMSNG4OSDCLWU4C24E";
      jetstream = {
        maxMemoryStore = "4GiB";
        maxFileStore = "100GiB";
      };
    };
  };
}
