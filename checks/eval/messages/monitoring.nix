# Alerts and regions for servers that are not there; and what would read, or judge, nothing.
{ lib, ... }:
{
  "servers that the fleet has not" = {
    fleet.regions.hub-2 = "eu-west-1";
    host.services.cim.monitoring.alerts = {
      enable = true;
      unreported = [ "c" ];
    };
  };
  "alerts of an agent" = {
    host.services = {
      cim.monitoring.alerts.enable = true;
      prometheus.enableAgentMode = true;
    };
  };
  "instances without a page" = {
    host.services.cim = {
      hub.health.port = null;
      leaves.a.health.enable = false;
      monitoring.enable = true;
    };
  };
  # A page is 1000 above the port that it is made of.
  "a page on Prometheus' port, a listener on the exporter's" = {
    host.services.cim = {
      leaves.a.httpPort = lib.mkForce 8090;
      leaves.b.port = lib.mkForce 7777;
      monitoring = {
        enable = true;
        exporter.enable = true;
      };
    };
  };
  "a host without instances" = {
    host.services.cim = {
      hub.enable = lib.mkForce false;
      leaves = lib.genAttrs [ "a" "b" ] (_: {
        enable = false;
      });
      monitoring.enable = true;
    };
  };
}
