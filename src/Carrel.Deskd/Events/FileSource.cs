using Carrel.Contracts.Events;

namespace Carrel.Deskd.Events;

/// <summary>Changes of files, each told to those who watch the place.</summary>
internal sealed class FileSource(FileWatch watch, EventHub hub) : EventSource(EventCatalogue.FileChange)
{
    /// <summary>What is watched for a client that names no path.</summary>
    public static IReadOnlyList<WatchedPath> Default { get; } = [.. EventCatalogue.DefaultFolders.Select(folder => new WatchedPath(folder, Recursive: true))];

    public override Task StartAsync()
    {
        watch.Changed += OnChanged;
        watch.Missed += OnMissed;
        return Task.CompletedTask;
    }

    public override Task StopAsync()
    {
        watch.Changed -= OnChanged;
        watch.Missed -= OnMissed;
        return Task.CompletedTask;
    }

    public void Watch(WatchedPath path) => watch.Add(path);

    public void Unwatch(WatchedPath path) => watch.Remove(path);

    private void OnMissed(string problem) => hub.PublishProblem(EventCatalogue.FileChange, problem);

    private void OnChanged(FileChange change) => hub.Publish(
        EventCatalogue.FileChange,
        json =>
        {
            json.WriteString("path"u8, change.Path);
            json.WriteString("action"u8, change.Action switch
            {
                FileAction.Created => "created"u8,
                FileAction.Modified => "modified"u8,
                _ => "deleted"u8,
            });
        },
        client => client.Paths.Any(path => path.Covers(change.Path)));
}
