# Seed 002, "NixOS Configuration": credentials, client certificate and a local user with a password, with secrets from
# sops-nix. Not NATS: `tls.verify` on the side that dials, which always verifies.
{
  fleet = {
    hubs.hub = {
      nodes.hub.address = "hub.cim.example.com";
      leafnodes.verify = true;
    };
    accounts.CIM = { };
    leaves.cim-prod-001 = {
      account = "CIM";
      exports = [ "domain.>" ];
    };
  };

  hosts.cim-prod-001 =
    { config, ... }:
    let
      # In a project of yours the values stand encrypted in secrets/<host>.yaml.
      secret.owner = "cim-prod-001"; # the instance's own user
    in
    {
      services.openssh.enable = true; # its host key decrypts the secrets
      sops.secrets = {
        nats-leaf-creds = secret;
        nats-cert = secret;
        nats-key = secret;
      };

      services.cim.leaves.cim-prod-001 = {
        remotes.hub = {
          credentialsFile = config.sops.secrets.nats-leaf-creds.path;
          tls = {
            certFile = config.sops.secrets.nats-cert.path;
            keyFile = config.sops.secrets.nats-key.path;
            caFile = "/etc/ssl/certs/cim-ca.pem";
          };
        };
        leafnodes.reconnect = "5s";

        acknowledged."password services.cim.leaves.cim-prod-001.accounts.CIM.users.cim-local.passwordHash" =
          "the seed's local clients know a password only";
        accounts.CIM.users.cim-local = {
          passwordHash = "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy";
          permissions.publish = {
            allow = [
              "domain.>"
              "events.>"
            ];
            deny = [ "system.>" ];
          };
        };
        jetstream = {
          maxMemoryStore = "4GiB";
          maxFileStore = "100GiB";
        };
      };
    };
}
