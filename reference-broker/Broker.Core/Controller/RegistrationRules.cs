using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>Which brokers are part of the cluster: registrations, sessions, fencing.</summary>
public class RegistrationRules
{
    [Rule("A broker's session lasts for broker.session.timeout.ms after its last heartbeat.", "KIP-631")]
    public virtual bool SessionIsAlive(TimeSpan sinceContact, TimeSpan timeout) => sinceContact < timeout;

    [Rule("Another incarnation is refused while the session of the one before lives and is not shutting down.", "KIP-631: DUPLICATE_BROKER_REGISTRATION")]
    public virtual bool MayRegister(bool sessionIsAlive, bool sameIncarnation, bool inControlledShutdown) => !sessionIsAlive || sameIncarnation || inControlledShutdown;

    [Rule("A second registration of one incarnation keeps epoch and state.", "KIP-631")]
    public virtual bool IsSameIncarnation(Guid registered, Guid given) => registered == given;

    [Rule("A restart is clean if the broker knows the epoch under which it was let in last, or a later one: what it wrote then is all there.", "KIP-966; not only the last one: a registration whose answer was lost changed nothing")]
    public virtual bool ShutdownWasClean(long cleanSince, long registeredEpoch, long previousBrokerEpoch) => cleanSince <= previousBrokerEpoch && previousBrokerEpoch <= registeredEpoch;

    [Rule("The offset of its record is the new incarnation's broker epoch.", "KIP-631: so it grows with every registration")]
    public virtual long NextBrokerEpoch(long recordOffset) => recordOffset;

    [Rule("Requests under another broker epoch than the registered one come from a former incarnation.", "KIP-380; KIP-903: STALE_BROKER_EPOCH")]
    public virtual bool BrokerEpochIsCurrent(long registered, long given) => registered == given;

    [Rule("A broker has caught up once its image holds its own registration.", "KIP-631")]
    public virtual bool HasCaughtUp(long metadataOffset, long registrationOffset) => metadataOffset >= registrationOffset;

    [Rule("A fenced broker is let in when it has caught up and does not ask to stay fenced.", "KIP-631")]
    public virtual bool MayUnfence(bool caughtUp, bool wantsFence) => caughtUp && !wantsFence;

    [Rule("A broker that is let in and wants to go may do so at once when it leads nothing, or asks to be fenced as well.", "KIP-631")]
    public virtual bool MayGoAtOnce(bool wantsFence, bool leads) => wantsFence || !leads;

    [Rule("A fenced broker may go at once.", "KIP-631")]
    public virtual bool MayGoFenced(bool wantsShutDown) => wantsShutDown;

    [Rule("A broker in controlled shutdown may go when it leads nothing and every active broker knows that.", "KIP-631")]
    public virtual bool MayShutDown(bool leads, long lowestActiveOffset, long controlledShutdownOffset) => !leads && lowestActiveOffset >= controlledShutdownOffset;
}
