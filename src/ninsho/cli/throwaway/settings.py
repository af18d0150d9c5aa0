"""The settings of a Postfix that is quick, alone on its machine for all it knows, and sends nothing away."""

from types import MappingProxyType

# RFC 2606 §2: this domain is nobody's. Every user name in it has a mailbox here.
DOMAIN = "example.test"

MAIN = MappingProxyType(
    {
        # The defaults of the newest Postfix, without a warning for each.
        "compatibility_level": "9999",
        # Nothing is shared with the system's own Postfix. $config_directory is our directory.
        "queue_directory": "$config_directory/queue",
        "data_directory": "$config_directory/data",
        "maillog_file": "$config_directory/log",
        "maillog_file_prefixes": "$config_directory",
        "myhostname": f"mail.{DOMAIN}",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        # Whoever has logged in may send, to our domain; nobody else may, and nothing leaves this machine.
        "smtpd_sasl_auth_enable": "yes",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_security_options": "noanonymous",
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
        "smtpd_recipient_restrictions": "permit_sasl_authenticated, reject",
        "mynetworks": "",
        "mydestination": "",
        "local_recipient_maps": "",
        "alias_maps": "",
        "default_transport": f"error:5.1.2 this Postfix delivers to {DOMAIN} alone",
        "relay_transport": "$default_transport",
        # One maildir for all: virtual(8) lets no table put the user's name into a path. Delivered-To tells them apart.
        "virtual_mailbox_domains": DOMAIN,
        "virtual_mailbox_base": "$config_directory/mail",
        "virtual_mailbox_maps": "static:all/",
        "virtual_uid_maps": "static:65534",
        "virtual_gid_maps": "static:65534",
        # No name is looked up, and nothing waits: not after an error, nor for another try, nor after a crash.
        "disable_dns_lookups": "yes",
        "smtp_host_lookup": "native",
        "smtpd_peername_lookup": "no",
        "smtpd_error_sleep_time": "0",
        "in_flow_delay": "0",
        "queue_run_delay": "1s",
        "minimal_backoff_time": "1s",
        "maximal_backoff_time": "1s",
        "transport_retry_time": "1s",
        "service_throttle_time": "1s",
        # One client is all there is: anvil(8) need not count it, nor flush(8) keep lists.
        "smtpd_client_connection_count_limit": "0",
        "fast_flush_domains": "",
        "notify_classes": "",
    }
)

# master(5): service, type, private, unprivileged, chroot, wake-up, process limit, command.
MASTER = """\
cleanup   unix       n - n - 0 cleanup
qmgr      unix       n - n 1 1 qmgr
rewrite   unix       - - n - - trivial-rewrite
bounce    unix       - - n - 0 bounce
defer     unix       - - n - 0 bounce
trace     unix       - - n - 0 bounce
error     unix       - - n - - error
retry     unix       - - n - - error
smtp      unix       - - n - - smtp
virtual   unix       - n n - - virtual
proxymap  unix       - - n - - proxymap
tlsmgr    unix       - - n - 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
"""
