# Changes of backups: nats-server and what makes streams do not hear of them.
_:
let
  held.host.services.cim.leaves.a = {
    accounts.CIM.streams.EVENTS.subjects = [ "events.>" ];
  };
  backup = options: {
    host.services.cim.leaves.a.backup = {
      enable = true;
      accounts = [ "CIM" ];
    }
    // options;
  };
in
{
  "backups of a leaf" = {
    before = held;
    host.services.cim.leaves.a.backup.enable = true;
  };
  "the time of a backup" = {
    before = backup { };
    host.services.cim.leaves.a.backup.onCalendar = "hourly";
  };
  "where each backup goes" = {
    before = backup { };
    host.services.cim.leaves.a.backup = {
      directory = "/srv/backup/a";
      keep = 30;
      keepDays = 90;
      sink = [
        "/run/current-system/sw/bin/rclone"
        "rcat"
        "remote:100%/{}"
      ];
      drill = false;
    };
  };
  "for how long what takes backups away may stand still" =
    let
      sink = [ "/srv/offsite" ];
    in
    {
      before = backup { inherit sink; };
      host.services.cim.leaves.a.backup.sinkTimeout = "1h";
    };
  "the same where nothing takes backups away" = {
    before = backup { };
    host.services.cim.leaves.a.backup.sinkTimeout = "1h";
  };
  "backups of a hub" = {
    fleet.accounts.CIM.kv.settings = { };
    host.services.cim.hub.backup.enable = true;
  };
}
