# Seed 004: a broker and a leaf on two machines, and clients with a password on both. Not NATS: encryption by its protocol;
# the link has TLS here instead of a service mesh. The leaf has a key, not the clients' password.
{
  fleet = {
    hubs.broker.nodes.vm-a = {
      address = "1.1.1.1";
      port = 30422;
      leafnodesPort = 30722;
    };
    accounts.TEST.users.natsuser.passwordHash =
      "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy";
    acknowledged."password services.cim.fleet.accounts.TEST.users.natsuser.passwordHash" =
      "the seed's clients know a password only";
    leaves.vm-b = {
      account = "TEST";
      nkey = "UANMA6GIXGKWCS33NDFCBOWNSQU4OOZENYE5QY53QG2BLKQQPBBKR3P7";
      imports = [ "test.messages" ];
    };
  };

  hosts = {
    vm-a.services.cim.hub = {
      enable = true;
      openFirewall = true;
      leafnodes.openFirewall = true;
      tls = {
        certFile = "/run/secrets/vm-a.pem";
        keyFile = "/run/secrets/vm-a.key";
      };
    };
    vm-b.services.cim.leaves.vm-b = {
      nkeySeedFile = "/run/secrets/vm-b.nk";
      remotes.broker.tls.caFile = "/etc/ssl/certs/cim-ca.pem";
      accounts.TEST.users.natsuser.passwordHash =
        "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy";
      acknowledged."password services.cim.leaves.vm-b.accounts.TEST.users.natsuser.passwordHash" =
        "the seed's clients know a password only";
    };
  };
}
