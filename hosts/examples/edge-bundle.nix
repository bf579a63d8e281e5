# Seed 003: the leaf of a customer's site, with a certificate of its own for the link and the tenant's credentials.
# Collectors log in at the site with users of the leaf: it cannot check the tenant's JWTs without the operator.
{
  fleet = {
    hubs.saas = {
      nodes.saas.address = "nats.serviceradar.cloud";
      leafnodes.verify = true;
    };
    accounts.ACME = { };
    leaves.berlin = {
      account = "ACME";
      exports = [ "events.>" ];
      imports = [ "config.>" ];
    };
  };

  hosts.berlin = {
    services.cim.leaves.berlin = {
      host = "0.0.0.0";
      openFirewall = true;
      tls = {
        certFile = "/etc/nats/certs/nats-server.pem";
        keyFile = "/etc/nats/certs/nats-server-key.pem";
        caFile = "/etc/nats/certs/ca-chain.pem";
      };
      remotes.saas = {
        credentialsFile = "/etc/nats/creds/tenant.creds";
        tls = {
          certFile = "/etc/nats/certs/nats-leaf.pem";
          keyFile = "/etc/nats/certs/nats-leaf-key.pem";
          caFile = "/etc/nats/certs/ca-chain.pem";
        };
      };

      # Collectors on the machine itself that speak MQTT.
      mqtt = {
        port = 1883;
        host = "127.0.0.1";
      };
      acknowledged."password services.cim.leaves.berlin.accounts.ACME.users.sensor.passwordHash" =
        "MQTT clients have no nkeys";
      accounts.ACME.users = {
        collector.nkey = "UBLVEJ3WMT2E4QAWUKL73GOUL2GTNLGZCGNC7B7KBPGNKZMDXQUQGUYZ";
        sensor = {
          passwordHash = "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy";
          allowedConnectionTypes = [ "MQTT" ];
          permissions.publish.allow = [
            "events.sensor.>"
            "$MQTT.>" # its session
          ];
        };
      };
    };
  };
}
