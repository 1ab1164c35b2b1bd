using Broker.Core.Metadata;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>Brokers come, stay and go: registration, heartbeats, sessions (KIP-631, KIP-966).</summary>
public sealed partial class ControllerMachine
{
    /// <summary>Errors: DUPLICATE_BROKER_REGISTRATION while another incarnation's session lives, INVALID_REGISTRATION without an endpoint or with an id above 63.</summary>
    public Decision<BrokerRegistrationResponse> RegisterBroker(BrokerRegistrationRequest request, TimeSpan now)
    {
        if ((uint)request.BrokerId >= MetadataImage.BrokerLimit || request.Listeners.Count == 0) return Refused(ErrorCode.InvalidRegistration);
        var endpoint = new Endpoint(request.Listeners[0].Host, request.Listeners[0].Port);
        var known = image.Broker(request.BrokerId);
        if (known is null) return Registered(request, endpoint);

        var same = rules.Registration.IsSameIncarnation(known.Incarnation, request.IncarnationId);
        if (!rules.Registration.MayRegister(SessionIsAlive(request.BrokerId, now), same, known.InControlledShutdown))
            return Refused(ErrorCode.DuplicateBrokerRegistration);
        if (!same) return Reregistered(request, endpoint, known);

        Append(new MetadataRecord.RegisterBroker(known with { Endpoint = endpoint }, request.PreviousBrokerEpoch));
        return Decide(new BrokerRegistrationResponse { BrokerEpoch = known.BrokerEpoch });

        Decision<BrokerRegistrationResponse> Refused(ErrorCode error) => Decide(new BrokerRegistrationResponse { ErrorCode = error, BrokerEpoch = -1 });
    }

    /// <summary>
    /// Errors: BROKER_ID_NOT_REGISTERED, STALE_BROKER_EPOCH. A broker that wants to shut down is told to when it leads nothing any more and the others know.
    /// </summary>
    public Decision<BrokerHeartbeatResponse> Heartbeat(BrokerHeartbeatRequest request, TimeSpan now)
    {
        if (image.Broker(request.BrokerId) is not { } broker) return Decide(new BrokerHeartbeatResponse { ErrorCode = ErrorCode.BrokerIdNotRegistered });
        if (!rules.Registration.BrokerEpochIsCurrent(broker.BrokerEpoch, request.BrokerEpoch))
            return Decide(new BrokerHeartbeatResponse { ErrorCode = ErrorCode.StaleBrokerEpoch });

        var session = sessions[broker.Broker] ??= new BrokerSession();
        session.LastContact = now;
        session.MetadataOffset = request.CurrentMetadataOffset;
        var caughtUp = rules.Registration.HasCaughtUp(request.CurrentMetadataOffset, broker.BrokerEpoch);
        var mayGo = false;
        if (broker.Fenced)
        {
            mayGo = rules.Registration.MayGoFenced(request.WantShutDown);
            if (!mayGo && rules.Registration.MayUnfence(caughtUp, request.WantFence)) Unfence(broker);
        }
        else if (broker.InControlledShutdown)
        {
            mayGo = rules.Registration.MayShutDown(Leads(broker.Broker), LowestActiveOffset(), session.ControlledShutdownOffset);
            if (mayGo) Fence(broker);
        }
        else if (request.WantShutDown)
        {
            mayGo = rules.Registration.MayGoAtOnce(request.WantFence, Leads(broker.Broker));
            if (mayGo) Fence(broker);
            else StartControlledShutdown(broker, session);
        }
        else if (request.WantFence) Fence(broker);

        return Decide(new BrokerHeartbeatResponse
        {
            IsCaughtUp = caughtUp,
            IsFenced = image.Broker(broker.Broker)!.Fenced,
            ShouldShutDown = mayGo,
        });
    }

    /// <summary>Fences brokers whose sessions ended and looks for unclean leaders when that is due. The answer: who was fenced.</summary>
    public Decision<NodeSet> Tick(TimeSpan now)
    {
        var fenced = NodeSet.Empty;
        foreach (var broker in image.Brokers)
        {
            if (broker.Fenced || SessionIsAlive(broker.Broker, now)) continue;
            Fence(broker);
            fenced = fenced.With(broker.Broker);
        }
        if (rules.Election.UncleanCheckIsDue(now - lastUncleanCheck, settings.UncleanElectionInterval))
        {
            lastUncleanCheck = now;
            var alive = Alive();
            ChangeWhere(partition => !partition.HasLeader, _ => new PartitionWish(alive));
        }
        return Decide(fenced);
    }

    /// <summary>How long until <see cref="Tick"/> may have something to do, at least 1 ms. At most one session: one that begins meanwhile ends later.</summary>
    public TimeSpan UntilNextTick(TimeSpan now)
    {
        var next = Math.Min((lastUncleanCheck + settings.UncleanElectionInterval).Ticks, (now + settings.SessionTimeout).Ticks);
        foreach (var broker in image.Brokers)
            if (!broker.Fenced && sessions[broker.Broker] is { } session)
                next = Math.Min(next, (session.LastContact + settings.SessionTimeout).Ticks);
        return TimeSpan.FromTicks(Math.Max(next - now.Ticks, TimeSpan.TicksPerMillisecond));
    }

    private Decision<BrokerRegistrationResponse> Registered(BrokerRegistrationRequest request, Endpoint endpoint)
    {
        var epoch = rules.Registration.NextBrokerEpoch(nextOffset);
        var registration = new BrokerRegistration(request.BrokerId, request.IncarnationId, epoch, CleanSince: epoch, endpoint, Fenced: true, InControlledShutdown: false);
        Append(new MetadataRecord.RegisterBroker(registration, request.PreviousBrokerEpoch));
        sessions[request.BrokerId] = null;                             // it begins with the first heartbeat
        return Decide(new BrokerRegistrationResponse { BrokerEpoch = epoch });
    }

    /// <summary>A new incarnation. After an unclean shutdown its log may have lost anything, so it is neither in sync nor eligible any more.</summary>
    private Decision<BrokerRegistrationResponse> Reregistered(BrokerRegistrationRequest request, Endpoint endpoint, BrokerRegistration known)
    {
        var clean = rules.Registration.ShutdownWasClean(known.CleanSince, known.BrokerEpoch, request.PreviousBrokerEpoch);
        if (!known.Fenced) Show(ObservationKind.BrokerFenced, known.Broker);
        if (!clean) Show(ObservationKind.UncleanRegistration, known.Broker);

        var epoch = rules.Registration.NextBrokerEpoch(nextOffset);
        var registration = new BrokerRegistration(request.BrokerId, request.IncarnationId, epoch, clean ? known.CleanSince : epoch, endpoint, Fenced: true, InControlledShutdown: false);
        Append(new MetadataRecord.RegisterBroker(registration, request.PreviousBrokerEpoch));
        sessions[request.BrokerId] = null;

        var alive = Alive();
        var lost = clean ? NodeSet.Empty : NodeSet.Empty.With(known.Broker);
        ChangeWhere(
            partition => partition.Isr.Contains(known.Broker) || lost.Contains(known.Broker) && partition.Elr.Contains(known.Broker),
            partition => new PartitionWish(alive, Isr: WithoutLeaving(partition.Isr, known.Broker), ShutDownUncleanly: lost));
        return Decide(new BrokerRegistrationResponse { BrokerEpoch = epoch });
    }

    private void Fence(BrokerRegistration broker)
    {
        Append(new MetadataRecord.FenceBroker(broker.Broker, broker.BrokerEpoch));
        Show(ObservationKind.BrokerFenced, broker.Broker);
        LeaveIsrs(broker.Broker);
    }

    private void Unfence(BrokerRegistration broker)
    {
        Append(new MetadataRecord.UnfenceBroker(broker.Broker, broker.BrokerEpoch));
        Show(ObservationKind.BrokerUnfenced, broker.Broker);
        var alive = Alive();
        ChangeWhere(partition => !partition.HasLeader, _ => new PartitionWish(alive));
    }

    private void StartControlledShutdown(BrokerRegistration broker, BrokerSession session)
    {
        Append(new MetadataRecord.StartControlledShutdown(broker.Broker, broker.BrokerEpoch));
        LeaveIsrs(broker.Broker);
        session.ControlledShutdownOffset = image.Offset;
    }

    private void LeaveIsrs(int broker)
    {
        var alive = Alive();
        ChangeWhere(partition => partition.Isr.Contains(broker), partition => new PartitionWish(alive, Isr: WithoutLeaving(partition.Isr, broker)));
    }

    private bool SessionIsAlive(int broker, TimeSpan now) =>
        sessions[broker] is { } session && rules.Registration.SessionIsAlive(now - session.LastContact, settings.SessionTimeout);

    private bool Leads(int broker) => image.Topics.Any(topic => topic.Partitions.Any(partition => rules.Isr.IsLeader(partition.Leader, broker)));

    private long LowestActiveOffset() =>
        image.Brokers.Where(broker => rules.Election.MayLeadAtAll(broker.Fenced, broker.InControlledShutdown)).Select(broker => sessions[broker.Broker]?.MetadataOffset ?? -1).DefaultIfEmpty(long.MaxValue).Min();
}
