# Levels of cim-health: nats-server neither knows nor cares.
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
}
