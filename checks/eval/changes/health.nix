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
  "leaf: health unit" = {
    host.services.cim.leaves.a.health = {
      port = null;
      watchdog = "1m";
      onFailure = [ "notify@%n.service" ];
    };
  };
  "leaf: nobody watches" = {
    host.services.cim.leaves.a.health.enable = false;
  };
}
