# What nixpkgs' modules are told on hosts that are monitored.
{ lib, ... }:
let
  cluster = {
    nodes = {
      edge-1.address = "10.0.0.1";
      edge-2.address = "10.0.0.2";
      edge-3.address = "10.0.0.3";
    };
    account = "CIM";
    certificate = "CN=edge";
  };
in
{
  "nothing is asked for" = { };
  "a hub's node and two leaves" = {
    fleet.regions = {
      hub-1 = "eu-west-1";
      a = "us-east-1";
    };
    host.services.cim.monitoring = {
      enable = true;
      interval = "5s";
      exporter.enable = true;
    };
  };
  "a node of a leaf that is a cluster, of two hubs" = {
    fleet = {
      leaves.edge = cluster;
      hubs.other.nodes.other-1.address = "other.example.com";
    };
    host.services.cim = {
      hub.enable = lib.mkForce false;
      leaves = {
        a.enable = false;
        b.enable = false;
        edge = {
          node = "edge-2";
          remotes = {
            hub.tls.caFile = "/etc/ssl/certs/cim-ca.pem";
            other.tls.caFile = "/etc/ssl/certs/cim-ca.pem";
          };
        };
      };
      monitoring.enable = true;
    };
  };
  "where all series come together" = {
    fleet.leaves.edge = cluster;
    host.services.cim.monitoring = {
      alerts = {
        enable = true;
        unreported = [
          "b"
          "edge-3"
        ];
      };
      dashboards.enable = true;
    };
  };
  "dashboards without a data source" = {
    host.services.cim.monitoring.dashboards = {
      enable = true;
      url = null;
    };
  };
}
