using System.Collections.Immutable;

namespace Carrel.Deskd.Events;

/// <summary>One connection to the events: what it wants and what waits for it. Only <see cref="EventHub"/> changes what it wants.</summary>
internal sealed class EventClient
{
    public EventOutbox Outbox { get; } = new();

    public ImmutableHashSet<string> Types { get; set; } = [];

    /// <summary>Where it wants to know of files.</summary>
    public ImmutableArray<WatchedPath> Paths { get; set; } = [];
}
