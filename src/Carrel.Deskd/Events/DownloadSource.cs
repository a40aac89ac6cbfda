using Carrel.Contracts.Events;

namespace Carrel.Deskd.Events;

/// <summary>Downloads of browsers, which give a file its name when it is whole: Chromium's <c>.crdownload</c>, Firefox's <c>.part</c>.</summary>
internal sealed class DownloadSource(FileWatch watch, EventHub hub) : EventSource(EventCatalogue.DownloadFinished)
{
    private static readonly string[] Unfinished = [".crdownload", ".part"];
    private static readonly WatchedPath[] Folders = [.. EventCatalogue.DefaultFolders.Select(folder => new WatchedPath(folder, Recursive: false))];

    public override Task StartAsync()
    {
        watch.Changed += OnChanged;
        Array.ForEach(Folders, watch.Add);
        return Task.CompletedTask;
    }

    public override Task StopAsync()
    {
        watch.Changed -= OnChanged;
        Array.ForEach(Folders, watch.Remove);
        return Task.CompletedTask;
    }

    private void OnChanged(FileChange change)
    {
        if (change.From is not { } from || !IsUnfinished(from) || IsUnfinished(change.Path) || !Array.Exists(Folders, folder => folder.Covers(change.Path)))
        {
            return;
        }

        var file = new FileInfo(change.Path);
        hub.Publish(EventCatalogue.DownloadFinished, json =>
        {
            json.WriteString("path"u8, change.Path);
            json.WriteNumber("size"u8, file.Exists ? file.Length : 0);
        });
    }

    private static bool IsUnfinished(string path) => Array.Exists(Unfinished, ending => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase));
}
