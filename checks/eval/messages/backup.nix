# Backups of nothing.
_: {
  "backups of an account that holds nothing that is declared" = {
    host.services.cim.leaves.a.backup.enable = true;
  };
  "backups of accounts that may store nothing" = {
    host.services.cim = {
      leaves.a = {
        jetstream.enable = false;
        backup = {
          enable = true;
          accounts = [ "CIM" ];
        };
      };
      hub.backup = {
        enable = true;
        accounts = [
          "CIM"
          "CIMM"
        ];
      };
    };
  };
}
