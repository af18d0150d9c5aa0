# Say what Mail::DKIM thinks of each signature of a message on standard input; its public keys stand in the file named,
# "name record" in each line.
use strict;
use warnings;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS;

package Records;

sub new {
    my ( $class, $path ) = @_;
    open my $file, '<', $path or die "$path: $!";
    my %records = map { chomp; split / /, $_, 2 } <$file>;
    return bless \%records, $class;
}

sub send {
    my ( $self, $name, $type ) = @_;
    my $answer = Net::DNS::Packet->new( $name, $type );
    if ( my $record = $self->{$name} ) {
        my @strings = unpack '(A255)*', $record;
        $answer->push( answer => Net::DNS::RR->new( name => $name, type => 'TXT', txtdata => \@strings ) );
    }
    return $answer;
}

package main;

Mail::DKIM::DNS::resolver( Records->new( $ARGV[0] ) );
binmode STDIN;
my $verifier = Mail::DKIM::Verifier->new;
$verifier->PRINT( do { local $/; <STDIN> } );
$verifier->CLOSE;
print $_->selector, ' ', $_->result_detail, "\n" for $verifier->signatures;
