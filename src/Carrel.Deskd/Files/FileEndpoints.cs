using System.Text;
using Carrel.Contracts;
using Carrel.Contracts.Files;
using Carrel.Deskd.Http;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Files;

/// <summary><c>/fs/...</c>: files and folders by their path in the URL.</summary>
internal sealed class FileEndpoints(string home, TreeTools trees)
{
    public const string Pattern = "/fs/{*path}";
    private const int PathBytes = 4095;
    private const int BodyBytes = 64 * 1024;
    private static readonly FlagField List = new("list", "Lists a folder, and refuses what is none.");
    private static readonly FlagField Stat = new("stat", "Answers with what there is, not with what is in it.");
    private static readonly FlagField Recursive = new("recursive", "Deletes a folder with all that is in it.");
    private static readonly FlagField Parents = new("parents", "Makes the folders above that are missing.");
    private static readonly FlagField Keep = new("keep", "Refuses to replace what is there.");
    private static readonly TextField Archive = new("archive", "tar: the folder as an archive.", false, 8, Choices: ["tar"]);
    private static readonly TextField Mode = new("mode", "Permissions, octal. A new file has 0644, a new folder 0755, a replaced file those it had.", false, 5);
    private static readonly TextField Action = new("action", "What to do.", true, 16, Choices: ["mkdir", "move"]);
    private static readonly TextField To = new("to", "Where it is moved: absolute, or relative to the home folder.", false, PathBytes);

    public IEnumerable<Route> Routes =>
    [
        new Route("GET", Pattern, "A file's contents, or what is in a folder.", GetAsync) { Query = [List, Stat, Archive] },
        new Route("HEAD", Pattern, "A file's size, time and tag.", GetAsync) { Query = [List, Stat, Archive] },
        new Route("PUT", Pattern, "Writes a file, or unpacks an archive into a folder.", PutAsync) { Query = [Mode, Parents, Keep, Archive] },
        new Route("POST", Pattern, "Makes a folder, or moves a file or folder.", PostAsync) { Body = [Action, To, Parents, Keep, Mode] },
        new Route("DELETE", Pattern, "Deletes a file or folder.", exchange => Task.Run(() => Delete(exchange))) { Query = [Recursive] },
    ];

    private Task<Reply> GetAsync(Exchange exchange)
    {
        var (path, text, problem) = PathOf(exchange);
        var (wantsList, wantsStat) = (exchange.Query.Read(List), exchange.Query.Read(Stat));
        var wantsArchive = exchange.Query.Read(Archive).Length > 0 || exchange.Accept.StartsWith(TreeTools.ContentType, StringComparison.OrdinalIgnoreCase);
        problem ??= exchange.Query.Problem;
        return problem is not null ? Task.FromResult(problem)
            : wantsStat && exchange.Method == "GET" ? Task.FromResult(StatOf(path!))
            : Task.Run(() => Read(exchange, path!, text, wantsList, wantsArchive));
    }

    private Reply Read(Exchange exchange, GuestPath path, string text, bool wantsList, bool wantsArchive)
    {
        var held = PathHandle.TryOpen(path.ToBytes(home));
        if (held is null)
        {
            return FileProblem.Last($"opening {text}");
        }

        using (held)
        {
            return wantsArchive ? trees.Pack(exchange, held, text)
                : wantsList || held.Status.IsFolder ? FolderListing.Answer(exchange, held, text)
                : FileReading.Answer(exchange, held, text);
        }
    }

    /// <summary>Of the thing itself: of a link that it is one and where it leads.</summary>
    private Reply StatOf(GuestPath path, int status = 200)
    {
        var bytes = path.ToBytes(home);
        return FileStatus.Of(Libc.AT_FDCWD, bytes, Libc.AT_SYMLINK_NOFOLLOW) is { } found
            ? Reply.Json(status, json =>
            {
                json.WriteString("path"u8, path.ToText(home));
                found.Write(json, Encoding.UTF8.GetBytes(path.Name), found.IsSymlink ? FileStatus.TargetOf(Libc.AT_FDCWD, bytes) : null, new OwnerNames());
            })
            : FileProblem.Last($"looking at {path.ToText(home)}");
    }

    private async Task<Reply> PutAsync(Exchange exchange)
    {
        var (path, text, problem) = PathOf(exchange);
        var query = exchange.Query;
        var (isArchive, parents, keep, mode) = (query.Read(Archive).Length > 0, query.Read(Parents), query.Read(Keep), ReadMode(query));
        problem ??= query.Problem;
        if (problem is not null)
        {
            return problem;
        }

        var bytes = path!.ToBytes(home);
        if (parents && PathCalls.MakeParents(bytes) is not 0 and var errno)
        {
            return FileProblem.Of(errno, $"making the folders above {text}");
        }

        if (!isArchive)
        {
            return await WriteAsync(exchange, path, text, keep, mode);
        }

        if (parents && PathCalls.MakeFolder(bytes) is not (0 or Libc.EEXIST) and var refused)
        {
            return FileProblem.Of(refused, $"making {text}");
        }

        using var folder = PathHandle.TryOpen(bytes);
        return folder is null ? FileProblem.Last($"opening {text}") : await trees.UnpackAsync(exchange, folder, text) ?? StatOf(path);
    }

    private async Task<Reply> WriteAsync(Exchange exchange, GuestPath path, string text, bool keep, uint? mode)
    {
        var place = path.ToBytes(home);
        FileStatus? old = null;
        using (var held = PathHandle.TryOpen(place))
        {
            if (held is { Status.IsFolder: true } || path.IsTop)
            {
                return FileProblem.IsAFolder(text);
            }

            if (held is { Status.IsFile: false })
            {
                return FileProblem.NotAFile(text, held.Status);
            }

            if (held is not null && keep)
            {
                return FileProblem.Exists(text);
            }

            if (held is not null)
            {
                // Where a link leads is written to, not the link.
                (old, place) = (held.Status, [.. held.RealPath(), 0]);
            }
        }

        var (folderPath, name) = PathCalls.Split(place);
        using var folder = PathHandle.TryOpen(folderPath);
        if (folder is null)
        {
            return FileProblem.Last($"opening the folder of {text}");
        }

        using var file = NewFile.Create(folder);
        if (file is null)
        {
            return FileProblem.Last($"writing {text}");
        }

        if (await file.ReceiveAsync(exchange, text) is { } problem)
        {
            return problem;
        }

        file.Dress(mode ?? old?.Permissions ?? NewFile.UsualMode, old?.Owner ?? 0, old?.Group ?? 0);
        return file.MoveTo(name, overwrite: !keep) is not 0 and var errno ? FileProblem.Of(errno, $"writing {text}") : StatOf(path, old is null ? 201 : 200);
    }

    private async Task<Reply> PostAsync(Exchange exchange)
    {
        var (path, text, problem) = PathOf(exchange);
        var (body, wrong) = await exchange.ReadBodyAsync(BodyBytes);
        problem ??= wrong;
        if (problem is not null)
        {
            return problem;
        }

        var (action, to, parents, keep, mode) = (body!.Read(Action), body.Read(To), body.Read(Parents), body.Read(Keep), ReadMode(body));
        if (action == "move" && to.Length == 0)
        {
            return body.Problem ?? Reply.Error(400, ErrorCodes.MissingField, "to is required to move", To.Name);
        }

        return body.Problem ?? await (action == "mkdir"
            ? Task.Run(() => MakeFolder(path!, text, parents, mode))
            : Task.Run(() => MoveAsync(path!, text, to, parents, keep, exchange.Aborted)));
    }

    private Reply MakeFolder(GuestPath path, string text, bool parents, uint? mode)
    {
        var bytes = path.ToBytes(home);
        if (parents && PathCalls.MakeParents(bytes) is not 0 and var above)
        {
            return FileProblem.Of(above, $"making the folders above {text}");
        }

        var errno = PathCalls.MakeFolder(bytes, mode ?? PathCalls.FolderMode);
        if (errno == Libc.EEXIST && parents && FileStatus.Of(Libc.AT_FDCWD, bytes, 0) is { IsFolder: true })
        {
            return StatOf(path);
        }

        return errno == 0 ? StatOf(path, 201) : FileProblem.Of(errno, $"making {text}");
    }

    private async Task<Reply> MoveAsync(GuestPath from, string text, string to, bool parents, bool keep, CancellationToken cancellationToken)
    {
        var target = GuestPath.FromText(to);
        if (!target.Succeeded)
        {
            return Reply.Error(400, target.Failure.Code, $"to: {target.Failure.Message}", To.Name);
        }

        if (from.IsTop)
        {
            return Reply.Error(403, ErrorCodes.AccessDenied, $"{text} cannot be moved");
        }

        var bytes = target.Value.ToBytes(home);
        if (parents && PathCalls.MakeParents(bytes) is not 0 and var above)
        {
            return FileProblem.Of(above, $"making the folders above {to}");
        }

        var errno = PathCalls.Rename(Libc.AT_FDCWD, from.ToBytes(home), Libc.AT_FDCWD, bytes, overwrite: !keep);
        if (errno == Libc.EXDEV && !text.Contains('\uFFFD', StringComparison.Ordinal))
        {
            return keep && FileStatus.Of(Libc.AT_FDCWD, bytes, Libc.AT_SYMLINK_NOFOLLOW) is not null
                ? FileProblem.Exists(target.Value.ToText(home))
                : await trees.MoveAcrossAsync(text, target.Value.ToText(home), cancellationToken) ?? StatOf(target.Value);
        }

        return errno == 0 ? StatOf(target.Value) : FileProblem.Of(errno, $"moving {text} to {target.Value.ToText(home)}");
    }

    private Reply Delete(Exchange exchange)
    {
        var (path, text, problem) = PathOf(exchange);
        var recursive = exchange.Query.Read(Recursive);
        problem ??= exchange.Query.Problem;
        if (problem is not null)
        {
            return problem;
        }

        if (path!.IsTop)
        {
            return Reply.Error(403, ErrorCodes.AccessDenied, $"{text} cannot be deleted");
        }

        return TreeRemoval.Remove(path.ToBytes(home), recursive, exchange.Aborted) is not 0 and var errno
            ? FileProblem.Of(errno, $"deleting {text}")
            : Reply.Json(200, json => json.WriteBoolean("success"u8, true));
    }

    private (GuestPath? Path, string Text, Reply? Problem) PathOf(Exchange exchange)
    {
        var path = GuestPath.FromTarget(exchange.RawTarget, 1);
        return path.Succeeded ? (path.Value, path.Value.ToText(home), null) : (null, "", Reply.Error(400, path.Failure.Code, path.Failure.Message));
    }

    private static uint? ReadMode(FieldReader fields)
    {
        var text = fields.Read(Mode);
        if (text.Length == 0)
        {
            return null;
        }

        return text.All(digit => digit is >= '0' and <= '7') && Convert.ToUInt32(text, 8) is <= 0xfff and var mode
            ? mode
            : fields.Refuse(Mode, $"must be octal, such as 0644, got \"{text}\"", 0u);
    }
}
