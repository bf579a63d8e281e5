# Instance → which accounts our programs log in to at its server, and how: flags, and what systemd hands over.
#
# Static accounts have a key for each program, which the host makes when the server starts (cim-secrets); in operator mode
# the desk made a .creds file.
{ lib }:
{
  unit,
  role,
  options,
  spec,
  ...
}:
let
  own = spec.${role};
  hasOperator = role == "hub" && own.fleet.operator != null;
  # As the renderer names files of an account.
  fileName = lib.replaceStrings [ "%" "/" ] [ "%25" "%2F" ];

  # Where there is none, an assertion says so.
  fileOf =
    service: account:
    if hasOperator then
      options.services.${account}.${service}.credentialsFile or null
    else
      "/run/${unit}/${fileName account}.${service}.nk";

  # This server: as its clients reach it here, and under the name in its certificate.
  client =
    if role == "hub" then
      lib.head (lib.mapAttrsToList (_: hub: hub.nodes.${own.node}) own.fleet.hubs)
    else
      {
        inherit (own.leaf) port;
        address = own.fleet.leaf.nodes.${toString own.leaf.node}.address or null;
      };
  here =
    {
      "0.0.0.0" = "127.0.0.1";
      "::" = "::1";
    }
    .${options.host} or options.host;
  isLoopback = lib.elem options.host [
    "127.0.0.1"
    "::1"
    "localhost"
  ];
  inherit (options) tls;
  url =
    address:
    "${if tls == null then "nats" else "tls"}://${
      if lib.hasInfix ":" address then "[${address}]" else address
    }:${toString client.port}";
  servers = [
    here
  ]
  ++ lib.optional (
    tls != null && !isLoopback && client.address != null && client.address != here
  ) client.address;
  asksCertificate = tls != null && (tls.verify == true || tls.verifyAndMap == true);
  files =
    lib.optionalAttrs (tls != null && tls.caFile != null) { ca = tls.caFile; }
    // lib.optionalAttrs asksCertificate {
      certificate = tls.certFile;
      key = tls.keyFile;
    };

  # As one argument in a unit.
  quoted = text: lib.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (lib.escapeShellArg text);
  credential = id: file: "${id}:${lib.replaceStrings [ "%" ] [ "%%" ] file}";

  loginsOf =
    service:
    map (account: {
      inherit service account;
      file = fileOf service account;
    });

  hasLinks = if role == "hub" then own.fleet.leaves != { } else own.fleet.leaf != null;
in
rec {
  inherit fileName quoted;

  # Accounts of a hub that leaf links are bound to, where cim-health answers.
  linked = lib.optionals (role == "hub") (
    lib.unique (lib.mapAttrsToList (_: leaf: leaf.account) own.fleet.leaves)
  );

  # Flags of cim-health: it reads files by path, as the instance's own user, for they are renewed. In which accounts it works,
  # and where the host made its keys, stands in health.json.
  health = lib.concatMapStrings (flag: " ${flag}") (
    lib.optionals hasLinks (
      (
        if hasOperator then
          map (account: "--login ${quoted "${account}=${fileOf "health" account}"}") (
            lib.filter (account: fileOf "health" account != null) linked
          )
        else
          [ "--host-keys" ]
      )
      ++ map (address: "--server ${quoted (url address)}") servers
      ++ lib.mapAttrsToList (id: file: "--${id} ${quoted file}") files
    )
    # In operator mode what our programs log in with ends; each is read by path here.
    ++ map (file: "--credential ${quoted file}") (lib.unique credentials)
  );

  # Accounts that hold something: what is declared, or what durable flows make.
  holding =
    let
      inherit (import ./durable.nix { inherit lib; } role own) accounts;
      declared = if role == "hub" then own.fleet.assets.accounts else own.leaf.assets;
    in
    lib.attrNames (declared // lib.genAttrs accounts (_: null));

  # Accounts that are backed up, where backups are.
  backedUp = if options.backup.accounts == null then holding else lib.unique options.backup.accounts;

  # Each program that runs here with each account that it works in, and the file that it logs in with; `null`: none is named.
  logins =
    loginsOf "provision" holding
    ++ lib.optionals options.backup.enable (loginsOf "backup" backedUp)
    ++ lib.optionals options.health.enable (loginsOf "health" linked);

  # The .creds files among these, in an order of their own: a unit's text is not to follow this list's.
  credentials = lib.optionals hasOperator (
    lib.sort lib.lessThan (lib.filter (file: file != null) (map (login: login.file) logins))
  );

  # Of a service and the accounts that it works in: what systemd hands over, and each account's flags.
  login =
    service: accounts:
    let
      file = fileOf service;
      id = account: "login-${toString (lib.lists.findFirstIndex (name: name == account) 0 accounts)}";
    in
    {
      credentials =
        map (account: credential (id account) (file account)) (
          lib.filter (account: file account != null) accounts
        )
        ++ lib.mapAttrsToList credential files;
      flags =
        account:
        lib.concatStringsSep " " (
          map (address: "--server ${quoted (url address)}") servers
          ++ [ "--${if hasOperator then "credentials" else "nkey-seed"} %d/${id account}" ]
          ++ map (id: "--${id} %d/${id}") (lib.attrNames files)
        );
    };
}
