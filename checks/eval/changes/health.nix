# Levels of cim-health: nats-server neither knows nor cares, and what watches reads them again; and that unit's own options.
_: {
  "leaf: health" = {
    host.services.cim.leaves.a.health = {
      storage.warning = 50;
      expiry.warning = "30d";
    };
  };
  "hub: health" = {
    host.services.cim.hub.health = {
      pending.critical = 1000;
      interval = "2s";
    };
  };
  "leaf: no pages of its health" = {
    host.services.cim.leaves.a.health.port = null;
  };
  "leaf: watchdog of what watches" = {
    host.services.cim.leaves.a.health.watchdog = "1m";
  };
  "leaf: who hears that nobody watches" = {
    host.services.cim.leaves.a.health.onFailure = [ "notify@%n.service" ];
  };
  "leaf: nobody watches" = {
    host.services.cim.leaves.a.health.enable = false;
  };
}
