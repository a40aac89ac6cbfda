namespace Carrel.Deskd.Events;

/// <summary>Where some kinds of events come from. Runs only while somebody is subscribed to one of them.</summary>
internal abstract class EventSource(params IReadOnlyList<string> types)
{
    public IReadOnlyList<string> Types => types;

    /// <summary>Begins to watch; what happens after it has returned is told.</summary>
    public abstract Task StartAsync();

    /// <summary>Gives back all that watching took.</summary>
    public abstract Task StopAsync();
}
