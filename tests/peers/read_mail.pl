# Email::MIME: a message in base64 a line comes in, a line of JSON with what it says goes out.
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Email::MIME;
use Email::MIME::ContentType qw(parse_content_disposition parse_content_type);
use Encode qw(decode find_encoding);
use Encode::EUCJPMS;
use Encode::JP;
use JSON::PP;
use MIME::Base64 qw(decode_base64);

# What Japanese mail means by these labels, as Japanese programs know.
my %meant = ("iso-2022-jp" => "cp50221", "shift_jis" => "cp932", "shiftjis" => "cp932", "euc-jp" => "cp51932");
Encode::define_encoding(find_encoding($meant{$_}), $_) for keys %meant;

sub read_mail {
    my $mail = Email::MIME->new(shift);
    my %seen = (text => "", html => "", files => [], names => []);
    $mail->walk_parts(sub {
        my $part = shift;
        return if $part->subparts;
        my $disposition = parse_content_disposition($part->header_raw("Content-Disposition") // "inline");
        my $type = parse_content_type($part->header_raw("Content-Type") // "text/plain");
        my $filename = $disposition->{attributes}{filename};
        if (defined $filename) {
            push @{ $seen{files} }, [ $filename, sha256_hex($part->body) ];
            push @{ $seen{names} }, decode("MIME-Header", $type->{attributes}{name} // "");
        } elsif ($type->{type} eq "text" && $type->{subtype} eq "html") {
            $seen{html} = $part->body_str;
        } elsif ($type->{type} eq "text" && $type->{subtype} eq "plain") {
            $seen{text} = $part->body_str;
        }
    });
    $seen{subject} = $mail->header_str("Subject") // "";
    ($seen{from_name}) = display_names($mail, "From");
    $seen{to_names} = [ display_names($mail, "To") ];
    return \%seen;
}

sub display_names {
    my ($mail, $field) = @_;
    return map { $_->phrase // "" } $mail->header_as_obj($field)->addresses;
}

$| = 1;
my $json = JSON::PP->new->ascii;
while (my $line = <STDIN>) {
    my $seen = eval { read_mail(decode_base64($line)) };
    print $json->encode($seen // { error => "$@" }), "\n";
}
